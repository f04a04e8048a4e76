-- At each year's end and tonight, the companies of a club, and of any, are as many as kpi_membership counts.
with counted as (
    select
        mart.as_of_on,
        club.club_code,
        count(*) as members
    from {{ ref('customer_360') }} as mart
    cross join lateral (
        select unnest(string_to_array(mart.clubs, ', '))
        union all
        select 'any' where mart.is_member
    ) as club (club_code)
    group by 1, 2
)

select
    kpi.as_of_date,
    kpi.club_code,
    kpi.members,
    counted.members as members_in_customer_360
from {{ ref('kpi_membership') }} as kpi
inner join (select distinct as_of_on from {{ ref('customer_360') }}) as day on kpi.as_of_date = day.as_of_on
left join counted on kpi.as_of_date = counted.as_of_on and kpi.club_code = counted.club_code
where kpi.period_basis = 'fiscal_year' and kpi.members <> coalesce(counted.members, 0)
