{#
  The latest version of each key of a raw table, as known at the end of the night's business date: highest
  _business_date, then _load_id. Later dates that are in raw already do not count, so a night gives the same figures
  whenever it is run. Args: source, table; key: list of SQL expressions, of which the first is also the column
  `_key`, so that a condition on it reaches the table; tie_break: what decides between two rows that one load stored under
  one key.
#}
{% macro latest_version(source_name, table, key, tie_break=none) -%}
    select distinct on ({{ key | join(', ') }})
        *,
        {{ key[0] }} as _key
    from {{ source(source_name, table) }}
    where _business_date <= (select business_date from {{ ref('stg_night') }})
    order by {{ key | join(', ') }}, _business_date desc, _load_id desc{{ ', ' ~ tie_break if tie_break }}
{%- endmacro %}

{# Text without the blanks around it, the ideographic, no-break and zero-width ones and a BOM too; null where nothing is left. #}
{% macro trimmed(column) -%}
    nullif(btrim({{ column }}, U&' \0009\000A\000D\00A0\200B\200C\200D\2060\3000\FEFF'), '')
{%- endmacro %}

{# A code of which no list is kept, or null where people typed a word for "blank". #}
{% macro stated(text) -%}
    case when lower({{ text }}) not in ('na', 'n/a', 'null', 'blank', '0') then {{ text }} end
{%- endmacro %}

{# The day on Hong Kong's clock. A case received at 23:59 on 31 March there belongs to the year that ends that night. #}
{% macro hong_kong_date(column) -%}
    ({{ column }} at time zone 'Asia/Hong_Kong')::date
{%- endmacro %}
