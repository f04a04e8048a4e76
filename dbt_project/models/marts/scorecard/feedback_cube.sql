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
    period.period,
    period.period_start,
    period.period_end,
    period.fiscal_year,
    period.is_complete
    {%- for column in features %},
    counted.{{ column }}
    {%- endfor %}
    {%- for count in feedback_counts() %},
    counted.{{ count }}::integer as {{ count }}
    {%- endfor %}
from ({{ periods_made_anew() }}) as period
inner join counted on period.period_start = counted.month_start
where period.period_basis = 'month'
