-- Running sums of joins and leaves end where counting the companies whose spell covers the day does.
with counted as (
    select
        coalesce(membership.club_code, 'any') as club_code,
        count(distinct membership.company_id) as members
    from {{ ref('dim_membership') }} as membership
    where membership.is_current
    group by grouping sets ((membership.club_code), ())
),

daily as (
    select
        daily.club_code,
        daily.members
    from {{ ref('fct_membership_daily') }} as daily
    inner join {{ ref('as_of') }} as night on daily.date_day = night.business_date
)

select *
from daily
full join counted on daily.club_code = counted.club_code
where coalesce(daily.members, 0) <> coalesce(counted.members, 0)
