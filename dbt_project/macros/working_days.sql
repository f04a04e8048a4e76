{#
  Whether a day comes after the last of so many working days that follow another; null where the working days of either are
  unknown. Not a difference of their numbers alone: a Saturday has the number of the Friday before. Args: since, day: aliases of
  dim_date; limit: how many.
#}
{% macro is_past_working_days(since, day, limit) -%}
    (
        {{ day }}.working_day_number > {{ since }}.working_day_number + {{ limit }}
        or {{ day }}.working_day_number = {{ since }}.working_day_number + {{ limit }} and not {{ day }}.is_working_day
    )
{%- endmacro %}
