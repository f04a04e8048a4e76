-- Both ways: no company is missing on any of the dates, and none is there that core does not know.
with expected as (
    select
        customer.company_id,
        day.as_of_on
    from {{ ref('dim_customer') }} as customer
    cross join (
        select period.as_of_date as as_of_on
        from ({{ reported_period() }}) as period
        where
            period.period_basis = 'fiscal_year'
            and period.period_start >= '{{ var("history_start") }}'
            and period.as_of_date = period.period_end
        union
        select business_date
        from {{ ref('as_of') }}
    ) as day
)

select
    coalesce(expected.company_id, mart.company_id) as company_id,
    coalesce(expected.as_of_on, mart.as_of_on) as as_of_on
from expected
full join {{ ref('customer_360') }} as mart
    on expected.company_id = mart.company_id and expected.as_of_on = mart.as_of_on
where expected.company_id is null or mart.company_id is null
