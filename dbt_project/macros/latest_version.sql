{#
  The latest version of each key of a raw table, as known at the end of the night's business date: highest
  _business_date, then _load_id. Later dates that are in raw already do not count, so a night gives the same figures
  whenever it is run. A record that vanished from its source has a last version that says so, and none of its versions up to
  that one is taken; by the contract's own key, for what is one key once it is trimmed may be two at the source.
  Args: source, table; key: list of SQL expressions, of which the first is also the column
  `_key`, so that a condition on it reaches the table; tie_break: what decides between two rows that one load stored under
  one key.
#}
{% macro latest_version(source_name, table, key, tie_break=none) -%}
    {%- set known = "_business_date <= (select business_date from " ~ ref('stg_night') ~ ")" -%}
    select distinct on ({{ key | join(', ') }})
        version.*,
        {{ key[0] }} as _key
    from {{ source(source_name, table) }} as version
    where
        version.{{ known }}
        and not version._is_vanished is true
        and not exists (
            select from {{ source(source_name, table) }} as vanished
            where
                vanished._is_vanished
                and vanished.{{ known }}
                and (vanished._business_date, vanished._load_id) > (version._business_date, version._load_id)
                {%- for column in contract_key(source_name, table) %}
                and vanished.{{ column }} = version.{{ column }}
                {%- endfor %}
        )
    order by {{ key | join(', ') }}, _business_date desc, _load_id desc{{ ', ' ~ tie_break if tie_break }}
{%- endmacro %}

{# The columns by which the contract of a source table knows a record. A unit test of dbt is shown no contract, and nothing vanishes in it. #}
{% macro contract_key(source_name, table) -%}
    {%- if execute -%}
        {%- for node in graph.get('sources', {}).values() if node.source_name == source_name and node.name == table -%}
            {{ return(node.config.meta.key) }}
        {%- endfor -%}
    {%- endif -%}
    {{ return([]) }}
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
