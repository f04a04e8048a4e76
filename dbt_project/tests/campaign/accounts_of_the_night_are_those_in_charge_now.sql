-- The accounts of the business date are those whose spell is current, of each role and of all.
with counted as (
    select
        coalesce(role, 'all') as role,
        count(distinct company_id) as accounts
    from {{ ref('dim_account') }}
    where is_current
    group by grouping sets ((role), ())
)

select kpi.*
from {{ ref('kpi_account_management') }} as kpi
inner join {{ ref('as_of') }} as night on kpi.as_of_date = night.business_date
left join counted on kpi.role = counted.role
where kpi.accounts <> coalesce(counted.accounts, 0)
