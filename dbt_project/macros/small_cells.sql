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
  Whether a cell of club 'any' beside those of the clubs tells fewer than 5 companies: those in one club only, or in both.
  Args: n: the count; cell: SQL list of the columns that are a cell's but for the club.
#}
{% macro tells_few_of_a_club(n, cell) -%}
    {%- set clubs = {} -%}
    {%- for club in ['postalplus', 'eclub'] -%}
        {%- do clubs.update({club: 'max(' ~ n ~ ") filter (where club_code = '" ~ club ~ "') over (partition by " ~ cell ~ ')'}) -%}
    {%- endfor -%}
    coalesce(club_code = 'any' and (
        {%- for club in clubs.values() %}
        {{ club }} >= 5 and {{ n }} - {{ club }} between 1 and 4 or
        {%- endfor %}
        least({{ clubs.values() | join(', ') }}) >= 5 and {{ clubs.values() | join(' + ') }} - {{ n }} between 1 and 4
    ), false)
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
