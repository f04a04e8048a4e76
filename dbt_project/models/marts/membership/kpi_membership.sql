with counted as (
    select
        period.period_basis,
        period.period,
        period.period_start,
        period.period_end,
        daily.club_code,
        max(daily.date_day) as as_of_date,
        min(daily.date_day) = period.period_start
        and max(daily.date_day) = period.period_end
        and bool_or(night.is_overtaken) is not true as is_complete,
        (
            array_agg(daily.members - daily.joins - daily.rejoins + daily.leaves order by daily.date_day)
        )[1] as members_at_start,
        (array_agg(daily.members order by daily.date_day desc))[1] as members,
        sum(daily.joins)::integer as joins,
        sum(daily.rejoins)::integer as rejoins,
        sum(daily.leaves)::integer as leaves
    from {{ ref('dim_period') }} as period
    inner join {{ ref('fct_membership_daily') }} as daily
        on daily.date_day between period.period_start and period.period_end
    cross join {{ ref('as_of') }} as night
    group by 1, 2, 3, 4, 5
)

select
    counted.period_basis,
    counted.period,
    counted.period_start,
    counted.period_end,
    counted.as_of_date,
    counted.is_complete,
    counted.club_code,
    counted.members_at_start,
    counted.members,
    counted.joins,
    counted.rejoins,
    counted.leaves,
    counted.joins + counted.rejoins - counted.leaves as net_growth,
    case when counted.is_complete then {{ share('counted.leaves', 'counted.members_at_start') }} end as churn_share,
    before.members as members_year_before,
    {{ change_pct('counted.members', 'before.members') }} as members_change_pct
from counted
left join {{ ref('dim_period') }} as period
    on counted.period_basis = period.period_basis and counted.period = period.period
left join counted as before
    on
        counted.is_complete
        and counted.period_basis = before.period_basis
        and period.period_year_before = before.period
        and before.as_of_date = before.period_end
        and counted.club_code = before.club_code
