-- Members at a period's end are the daily ones; its flows explain its change; months add up to years.
with year_of_months as (
    select
        fiscal.period,
        fiscal.club_code,
        fiscal.leaves,
        sum(month.leaves) as leaves_of_months
    from {{ ref('kpi_membership') }} as fiscal
    inner join {{ ref('kpi_membership') }} as month
        on
            month.period_basis = 'month'
            and fiscal.club_code = month.club_code
            and month.period_start between fiscal.period_start and fiscal.period_end
    where fiscal.period_basis = 'fiscal_year'
    group by 1, 2, 3
)

select
    kpi.period,
    kpi.club_code
from {{ ref('kpi_membership') }} as kpi
left join {{ ref('fct_membership_daily') }} as daily
    on kpi.as_of_date = daily.date_day and kpi.club_code = daily.club_code
where kpi.members is distinct from daily.members or kpi.net_growth <> kpi.members - kpi.members_at_start
union all
select
    period,
    club_code
from year_of_months
where leaves <> leaves_of_months
