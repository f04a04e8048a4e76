{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed('(\\'month\\'::text, period)', changed_periods()) }}"
) }}
{%- set features = ['kind', 'service_code', 'issue_code', 'channel_code', 'district_code', 'language', 'outcome'] %}

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
    {{ told_count(count) }} as {{ count }}
    {%- endfor %}
from (
    select *
    from ({{ periods_made_anew() }}) as period
    inner join {{ ref('fct_feedback_month_by_code') }} as counted on period.period_start = counted.month_start
    where period.period_basis = 'month'
) as now
