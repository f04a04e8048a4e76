-- Of each basis and level, the mart's received cases are the fact's, no more and no fewer.
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

select *
from mart
full join fact on mart.received = fact.received
where mart.received is null and fact.received > 0 or fact.received is null
