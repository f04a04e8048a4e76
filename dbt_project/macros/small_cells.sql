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

{#
  Whether a cell of club 'any' beside those of the clubs tells a group of fewer than 5 companies: those outside one club, those in
  several (a company in each of n clubs is n - 1 memberships more than companies), or the members of clubs whose own cells are
  hidden. An aggregate over the rows of `club`, the cells of the clubs that count as any, beside their cell `whole`. Args: n: the count.
#}
{% macro tells_few_of_a_club(n) -%}
    coalesce(
        bool_or(club.{{ n }} >= 5 and whole.{{ n }} - club.{{ n }} between 1 and 4)
        or min(club.{{ n }}) >= 5 and sum(club.{{ n }}) - max(whole.{{ n }}) between 1 and 4 * (count(*) - 1)
        or max(whole.{{ n }}) > sum(club.{{ n }}) filter (where club.{{ n }} >= 5),
        false
    )
{%- endmacro %}

{#
  Whether a cell goes because it, or another of its breakdown alone, tells few of a club: of one hidden cell the total minus the
  others would tell. Args: n: the count; tells: column that says so; partition, value: as of is_small_cell.
#}
{% macro is_hidden_for_a_club(n, tells, partition, value) -%}
    {{ tells }} or bool_or({{ tells }}) over (partition by {{ partition }}) and row_number() over (
        partition by {{ partition }} order by {{ tells }} desc, {{ n }}, {{ value }}
    ) <= 2
{%- endmacro %}
