-- Running sums of joins and leaves end where counting the companies whose spell covers the day does.
with counted as (
    select
        club.club_code,
        count(distinct membership.company_id) as members
    from {{ ref('dim_membership') }} as membership
    inner join {{ ref('code_list') }} as code on code.list = 'club' and membership.club_code = code.code
    cross join lateral (values (code.code), (code.counts_as)) as club (club_code)
    where membership.is_current and club.club_code is not null
    group by club.club_code
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
