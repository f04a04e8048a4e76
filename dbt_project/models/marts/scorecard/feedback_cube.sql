{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed('(\\'month\\'::text, period)', changed_periods()) }}"
) }}
{%- set features = ['kind', 'service_code', 'issue_code', 'channel_code', 'district_code', 'language', 'outcome'] %}

with counted as (
    select
        date_trunc('month', movement.moved_on)::date as month_start
        {%- for column in features %},
        coalesce(feedback.{{ column }}, 'not_stated') as {{ column }}
        {%- endfor %},
        {{ feedback_count_columns() }}
    {{ counted_movements() }}
    group by
        date_trunc('month', movement.moved_on)::date
        {%- for column in features %},
        coalesce(feedback.{{ column }}, 'not_stated')
        {%- endfor %}
)

select
    now.period,
    now.period_start,
    now.period_end,
    now.fiscal_year,
    now.is_complete
    {%- for column in features %},
    now.{{ column }}
    {%- endfor %}
    {%- for count in feedback_counts() %},
    ({{ told_count(count) }})::integer as {{ count }}
    {%- endfor %}
from (
    select *
    from ({{ periods_made_anew() }}) as period
    inner join counted on period.period_start = counted.month_start
    where period.period_basis = 'month'
) as now
