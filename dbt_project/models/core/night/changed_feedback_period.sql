-- What changes a period's figures: a changed case that counts in it, or did; the same of the period it is compared
-- with; and the period itself, while it runs and when the first case moves.
with touched as (
    select
        counted_in,
        from_day,
        to_day
    from {{ ref('changed_feedback_day') }}
    union
    select
        'movement',
        moved_on as from_day,
        moved_on as to_day
    from {{ ref('fct_feedback_movement') }}
    where case_no = any(array({{ changed_cases() }}))
    union
    select
        'backlog',
        open_from,
        coalesce(open_to - 1, 'infinity')
    from {{ ref('fct_feedback_open_spell') }}
    where case_no = any(array({{ changed_cases() }}))
),

-- Each month is looked for once, however many cases changed in it.
touched_month as (
    select distinct date_trunc('month', from_day)::date as month_start
    from touched
    where counted_in = 'movement'
),

stood as (
    {%- if goes_on() %}
    select
        period_basis,
        period,
        as_of_date,
        is_complete,
        period_compared
    from {{ this }}
    where is_reported
    {%- else %}
    select
        null as period_basis,
        null as period,
        null::date as as_of_date,
        null::boolean as is_complete,
        null as period_compared
    where false
    {%- endif %}
),

compared as (
    select
        coalesce(now.period_basis, stood.period_basis) as period_basis,
        coalesce(now.period, stood.period) as period,
        now.period_start,
        now.period_end,
        now.as_of_date,
        now.is_complete,
        now.period_compared,
        stood.period is null
        or now.period is null
        or stood.as_of_date <> now.as_of_date
        or stood.is_complete <> now.is_complete
        or coalesce(stood.period_compared, '') <> coalesce(now.period_compared, '') as is_new
    from {{ ref('dim_feedback_period') }} as now
    full join stood
        on now.period_basis = stood.period_basis and now.period = stood.period
),

counted as (
    select
        *,
        is_new or exists (
            select 1
            from touched_month
            where touched_month.month_start between compared.period_start and compared.period_end
        ) as has_changed,
        is_new or exists (
            select 1
            from touched
            where
                touched.counted_in = 'backlog'
                and compared.as_of_date between touched.from_day and touched.to_day
        ) as has_changed_backlog
    from compared
)

select
    counted.period_basis,
    counted.period,
    counted.as_of_date,
    counted.is_complete,
    counted.period_compared,
    counted.period_start is not null as is_reported,
    counted.has_changed or coalesce(before.has_changed, false) as has_changed,
    counted.has_changed_backlog
from counted
left join counted as before
    on counted.period_basis = before.period_basis and counted.period_compared = before.period
