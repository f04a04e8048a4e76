with latest as (
    {{ latest_version('survey', 'delivery', ['delivery_id']) }}
)

select
    delivery_id,
    {{ trimmed('wave_code') }} as wave_code,
    file_name,
    {{ concept('period_basis', 'period_basis') }} as period_basis,
    period_start,
    period_end,
    fieldwork_start,
    fieldwork_end,
    eligible_sample,
    delivered_at,
    -- A corrected file replaces the wave's earlier one whole: the two hold the same respondents.
    delivery_id = first_value(delivery_id) over (
        partition by {{ trimmed('wave_code') }} order by delivered_at desc, delivery_id desc
    ) as is_latest
from latest
