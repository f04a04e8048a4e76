{#
  Whether a cell of a breakdown is too small to publish: fewer than 5 people. Where the small ones together are so few,
  the next larger cell goes too, else the total minus the others would tell them. Args: n: the count; partition: SQL list of
  the columns that a total is published for; value: column that orders cells of equal size.
#}
{% macro is_small_cell(n, partition, value) -%}
    {{ n }} < 5 or coalesce(sum({{ n }}) over (
        partition by {{ partition }} order by {{ n }}, {{ value }}
        rows between unbounded preceding and 1 preceding
    ), 0) between 1 and 4
{%- endmacro %}
