with period as (
    select
        basis.period_basis,
        basis.period,
        min(day.date_day) as period_start,
        max(day.date_day) as period_end,
        min(day.fiscal_year) as fiscal_year
    from {{ ref('dim_date') }} as day
    cross join lateral (
        values
            ('fiscal_year', day.fiscal_year),
            ('calendar_year', day.calendar_year),
            ('fiscal_quarter', day.fiscal_quarter),
            ('month', day.calendar_month)
    ) as basis (period_basis, period)
    group by 1, 2
)

select
    period.period_basis,
    period.period,
    period.period_start,
    period.period_end,
    case when period.period_basis <> 'calendar_year' then period.fiscal_year end as fiscal_year,
    before.period as period_year_before
from period
left join period as before
    on
        period.period_basis = before.period_basis
        and before.period_start = (period.period_start - interval '1 year')::date
