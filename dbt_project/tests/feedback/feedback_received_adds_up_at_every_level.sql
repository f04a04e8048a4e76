-- Of each basis and level, the mart's received cases are the fact's, no more and no fewer; and of each period, those of the
-- year before are the same at every level.
with fact as (
    select count(*) as received
    from {{ ref('fct_feedback_case') }} as feedback
    cross join {{ ref('as_of') }} as night
    where feedback.is_counted and feedback.received_on <= night.business_date
),

mart as (
    select
        period_basis,
        level,
        sum(received) as received
    from {{ ref('kpi_feedback') }}
    group by 1, 2
)

select
    mart.period_basis,
    mart.level,
    mart.received
from mart
full join fact on mart.received = fact.received
where mart.received is null and fact.received > 0 or fact.received is null
union all
select
    period_basis,
    period,
    max(received_year_before)
from (
    select
        period_basis,
        period,
        level,
        sum(received_year_before) as received_year_before
    from {{ ref('kpi_feedback') }}
    group by 1, 2, 3
    union all
    select
        period_basis,
        period,
        dimension,
        sum(received_year_before)
    from {{ ref('kpi_feedback_by_dimension') }}
    group by 1, 2, 3
) as told
group by 1, 2
having min(received_year_before) <> max(received_year_before)
