{{ config(materialized='incremental', pre_hook="{{ forget_changed('(period_basis, period)', changed_periods()) }}") }}

with by_month as (
    select *
    from {{ ref('fct_feedback_month') }}
    where dimension not in ('all', 'service', 'issue') and {{ is_changed('month_start', changed_days()) }}
),

period as (
    {{ periods_made_anew() }}
),

counted as (
    select
        period.*,
        by_month.kind,
        by_month.dimension,
        by_month.dimension_value
        {%- for count in feedback_counts() %},
        sum(by_month.{{ count }})::integer as {{ count }}
        {%- endfor %}
    from by_month
    inner join period on by_month.month_start between period.period_start and period.period_end
    group by period.period_basis, period.period, period.period_start, period.period_end, period.as_of_date,
        period.is_complete, period.fiscal_year, period.period_compared, period.pledges_unknown, by_month.kind,
        by_month.dimension, by_month.dimension_value
),

compared as (
    {{ compared_with_year_before(['kind', 'dimension', 'dimension_value']) }}
)

select
    now.period_basis,
    now.period,
    now.period_start,
    now.period_end,
    now.is_complete,
    now.kind,
    now.dimension,
    now.dimension_value,
    {{ feedback_figures() }}
from compared as now
