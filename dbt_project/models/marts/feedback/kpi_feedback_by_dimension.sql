{{ config(materialized='incremental', pre_hook="{{ forget_changed('(period_basis, period)', changed_periods()) }}") }}
{%- set features -%}
    left join {{ ref('dim_customer') }} as customer on feedback.company_id = customer.company_id
    cross join lateral (
        {{ feedback_dimensions('feedback', ['channel', 'district', 'post_office', 'language', 'segment']) }}
    ) as feature (dimension, dimension_value)
{%- endset %}

with by_month as (
    select
        date_trunc('month', movement.moved_on)::date as month_start,
        coalesce(feedback.kind, 'not_stated') as kind,
        feature.dimension,
        feature.dimension_value,
        {{ feedback_count_columns() }}
    {{ counted_movements(features) }}
    group by date_trunc('month', movement.moved_on)::date, coalesce(feedback.kind, 'not_stated'), feature.dimension,
        feature.dimension_value
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
