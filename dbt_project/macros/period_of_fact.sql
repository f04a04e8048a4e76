{#
  The periods, of each basis, from the first month of a fact to the business date; complete is one that both lie around,
  within the history that is reported: one row typed with an old date does not make the years since then known.
  Args: fact: relation; day: its column of days.
#}
{% macro period_of_fact(fact, day) -%}
    select
        period.period_basis,
        period.period,
        period.period_start,
        period.period_end,
        period.period_start >= greatest(history.first_day, '{{ var("history_start") }}')
        and period.period_end <= history.business_date 
        and history.is_overtaken is not true as is_complete
    from {{ ref('dim_period') }} as period
    cross join (
        select
            date_trunc('month', min(fact.{{ day }}))::date as first_day,
            night.business_date,
            night.is_overtaken
        from {{ fact }} as fact
        cross join {{ ref('as_of') }} as night
        where fact.{{ day }} <= night.business_date
        group by night.business_date, night.is_overtaken
    ) as history
    where period.period_end >= history.first_day and period.period_start <= history.business_date
{%- endmacro %}
