{#
  Whether a cell of a breakdown is too small to publish: 1 to 4 people; of nobody nothing is told. Where the small ones together are so few,
  the next larger cell goes too, else the total minus the others would tell them. Args: n: the count; partition: SQL list of
  the columns that a total is published for; value: column that orders cells of equal size.
#}
{% macro is_small_cell(n, partition, value) -%}
    {{ n }} between 1 and 4 or coalesce(sum({{ n }}) over (
        partition by {{ partition }} order by {{ n }}, {{ value }}
        rows between unbounded preceding and 1 preceding
    ), 0) between 1 and 4
{%- endmacro %}

{#
  Whether cells of club 'any' beside those of the clubs tell a group of fewer than 5 companies: those outside one club, those in
  several (a company in each of n clubs is n - 1 memberships more than companies), or the members of clubs whose own cells are
  hidden. An aggregate over the clubs that count as any. Args: any, club: the counts of any and of the club.
#}
{% macro tells_few_of_a_club(any, club) -%}
    coalesce(
        bool_or({{ club }} >= 5 and {{ any }} - {{ club }} between 1 and 4)
        or min({{ club }}) filter (where {{ club }} > 0) >= 5
        and sum({{ club }}) - max({{ any }}) between 1 and 4 * (count(*) filter (where {{ club }} > 0) - 1)
        or max({{ any }}) > sum({{ club }}) filter (where {{ club }} >= 5),
        false
    )
{%- endmacro %}

{#
  CTE <n>_of_any: whether a cell of 'any' is hidden. Hidden are those that are small or tell few of a club, and of the others the
  smallest, until there are two, and the hidden ones together tell nothing either: the total minus the shown ones is their sum.
  Args: n: the count; `cell` holds it beside that of each club, club_<n>.
#}
{% macro hidden_of_any(n) -%}
    {{ n }}_telling as (
        select
            as_of_date,
            dimension,
            dimension_value,
            max({{ n }}) as {{ n }},
            {{ tells_few_of_a_club(n, 'club_' ~ n) }}
            or {{ is_small_cell('max(' ~ n ~ ')', 'as_of_date, dimension', 'dimension_value') }} as tells
        from cell
        group by as_of_date, dimension, dimension_value
    ),

    {{ n }}_placed as (
        select
            as_of_date,
            dimension,
            dimension_value,
            row_number() over (
                partition by as_of_date, dimension order by tells desc, {{ n }} = 0, {{ n }}, dimension_value
            ) as place,
            count(*) filter (where tells) over (partition by as_of_date, dimension) as tellings
        from {{ n }}_telling
    ),

    {{ n }}_together as (
        select
            as_of_date,
            dimension,
            place,
            tellings,
            sum({{ n }}) over up_to_here as companies,
            sum(club_{{ n }}) over up_to_here as of_club
        from cell
        inner join {{ n }}_placed using (as_of_date, dimension, dimension_value)
        window up_to_here as (partition by as_of_date, dimension, club_code order by place)
    ),

    {{ n }}_enough as (
        select distinct on (as_of_date, dimension)
            as_of_date,
            dimension,
            place
        from {{ n }}_together
        group by as_of_date, dimension, place, tellings
        having place >= greatest(tellings, 2) and not {{ tells_few_of_a_club('companies', 'of_club') }}
        order by as_of_date, dimension, place
    ),

    {{ n }}_of_any as (
        select
            placed.as_of_date,
            placed.dimension,
            placed.dimension_value,
            placed.tellings > 0 and placed.place <= coalesce(enough.place, placed.place) as is_hidden
        from {{ n }}_placed as placed
        left join {{ n }}_enough as enough on placed.as_of_date = enough.as_of_date and placed.dimension = enough.dimension
    )
{%- endmacro %}
