-- The first day alone, so that the index gives it and not all cases are read.
with history as (
    select
        date_trunc('month', first_case.received_on)::date as first_day,
        night.business_date,
        night.is_overtaken
    from {{ ref('as_of') }} as night
    cross join (
        select min(feedback.received_on) as received_on
        from {{ ref('fct_feedback_case') }} as feedback
        where feedback.is_counted and feedback.received_on <= (select business_date from {{ ref('as_of') }})
    ) as first_case
    where first_case.received_on is not null
),

period as (
    select
        period.*,
        least(period.period_end, history.business_date) as as_of_date,
        -- One case typed with an old date does not make the years since then known.
        period.period_start >= greatest(history.first_day, '{{ var("history_start") }}')
        and period.period_end <= history.business_date
        and history.is_overtaken is not true as is_complete
    from {{ ref('dim_period') }} as period
    cross join history
    where period.period_end >= history.first_day and period.period_start <= history.business_date
)

select
    period.period_basis,
    period.period,
    period.period_start,
    period.period_end,
    period.as_of_date,
    period.is_complete,
    period.fiscal_year,
    case when period.is_complete and before.is_complete then before.period end as period_compared,
    -- Of a pledge in working days all that fell due is known where the period's days are, and as many before it.
    (
        select string_agg(target.milestone, ', ' order by target.milestone)
        from {{ ref('service_target') }} as target
        where
            target.day_basis = 'working'
            and not coalesce(
                last_day.is_working_day is not null
                and first_day.working_day_number - first_day.is_working_day::integer >= target.limit_days, false
            )
    ) as pledges_unknown
from period
left join {{ ref('dim_date') }} as first_day on period.period_start = first_day.date_day
left join {{ ref('dim_date') }} as last_day on period.as_of_date = last_day.date_day
left join period as before
    on period.period_basis = before.period_basis and period.period_year_before = before.period
