{# Every period from the start of the history to the night: its days, the last day known, and whether all of it lies within. #}
{% macro reported_period() -%}
    select
        period.period_basis,
        period.period,
        period.period_start,
        period.period_end,
        least(period.period_end, night.business_date) as as_of_date,
        period.period_start >= '{{ var("history_start") }}' and period.period_end <= night.business_date
        and night.is_overtaken is not true as is_complete
    from {{ ref('dim_period') }} as period
    cross join {{ ref('as_of') }} as night
    where period.period_end >= '{{ var("history_start") }}' and period.period_start <= night.business_date
{%- endmacro %}
