with period as (
    {{ period_of_fact(ref('fct_hotline_interval'), 'call_date') }}
),

-- When the hotline is open is not told: a day is expected where it ever was open on a day of the week like it, or on a
-- general holiday.
known_day as (
    select
        day.date_day,
        case when day.holiday_name is null then day.iso_weekday else 0 end as day_of_week,
        call.call_date is not null as is_there
    from {{ ref('dim_date') }} as day
    cross join {{ ref('as_of') }} as night
    left join (select distinct call_date from {{ ref('fct_hotline_interval') }}) as call
        on day.date_day = call.call_date
    where day.date_day <= night.business_date
),

open_day as (
    select distinct day_of_week
    from known_day
    where is_there
),

told as (
    select
        period.period_basis,
        period.period,
        count(*) as days_expected,
        count(*) filter (where known_day.is_there) as days_there
    from period
    inner join known_day on known_day.date_day between period.period_start and period.period_end
    inner join open_day on known_day.day_of_week = open_day.day_of_week
    group by period.period_basis, period.period
),

counted as (
    select
        period.period_basis,
        period.period,
        period.period_start,
        period.period_end,
        period.is_complete,
        count(*) as intervals,
        sum(call.offered) as offered,
        sum(call.answered) as answered,
        sum(call.abandoned) as abandoned,
        sum(call.wait_seconds) as wait_seconds,
        sum(call.answered_within_20s) as answered_within_20s
    from period
    inner join {{ ref('fct_hotline_interval') }} as call
        on call.call_date between period.period_start and period.period_end
    group by period.period_basis, period.period, period.period_start, period.period_end, period.is_complete
)

select
    counted.period_basis,
    counted.period,
    counted.period_start,
    counted.period_end,
    counted.is_complete,
    told.days_expected::integer as days_expected,
    told.days_there::integer as days_there,
    counted.intervals::integer as intervals,
    counted.offered::integer as offered,
    counted.answered::integer as answered,
    counted.abandoned::integer as abandoned,
    counted.wait_seconds,
    counted.answered_within_20s::integer as answered_within_20s,
    {{ share('counted.answered', 'counted.offered') }} as answered_share,
    {{ share('counted.abandoned', 'counted.offered') }} as abandoned_share,
    {{ share('counted.wait_seconds', 'counted.answered') }} as average_wait_seconds,
    {{ share('counted.answered_within_20s', 'counted.offered') }} as answered_within_20s_share
from counted
inner join told on counted.period_basis = told.period_basis and counted.period = told.period
