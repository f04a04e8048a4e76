{#
  Spells of one owner that overlap, repeat or touch, merged into one, so that nobody counts twice on any day.
  Args: relation with valid_from and valid_to (the first day after; 'infinity' while it lasts) and the owner's columns;
  owner: list of columns; carried: extra aggregates over the rows merged. A leave date is the first day outside, so a
  spell that begins on it leaves no gap and is no re-join.
#}
{% macro merge_spells(relation, owner, carried=[]) -%}
    select
        {{ owner | join(', ') }},
        island as spell_number,
        min(valid_from) as valid_from,
        max(valid_to) as valid_to
        {%- for aggregate in carried %},
        {{ aggregate }}
        {%- endfor %}
    from (
        select
            *,
            count(*) filter (where is_first) over (partition by {{ owner | join(', ') }} order by valid_from, valid_to) as island
        from (
            select
                *,
                coalesce(valid_from > max(valid_to) over (
                    partition by {{ owner | join(', ') }} order by valid_from, valid_to
                    rows between unbounded preceding and 1 preceding
                ), true) as is_first
            from {{ relation }}
        ) as compared
    ) as numbered
    group by {{ owner | join(', ') }}, island
{%- endmacro %}
