select
    wave_code,
    delivery_id,
    file_name,
    period_basis,
    {{ period_name('period_basis', 'period_start') }} as period,
    period_start,
    period_end,
    fieldwork_start,
    fieldwork_end,
    eligible_sample,
    delivered_at,
    lag(wave_code) over (order by period_end, period_start, wave_code) as wave_before
from {{ ref('stg_survey__delivery') }}
where is_latest
-- depends_on: {{ ref('changed_wave') }}
