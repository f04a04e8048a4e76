{#
  The latest version of each key of a raw table, as known at the end of the night's business date: highest
  _business_date, then _load_id. Later dates that are in raw already do not count, so a night gives the same figures
  whenever it is run. A record that vanished from its source has a last version that says so, and none of its versions up to
  that one is taken; by the contract's own key, for what is one key once it is trimmed may be two at the source.
  Args: source, table; key: list of SQL expressions, of which the first is also the column
  `_key`, so that a condition on it reaches the table; tie_break: what decides between two rows that one load stored under
  one key.
  On several machines all versions of one spelling of a key are together, but two spellings of it may not be. So that each machine finds the latest
  version among its own, the spellings are looked for first whose key has a later version under another one: they are few.
#}
{% macro latest_version(source_name, table, key, tie_break=none) -%}
    {%- set contract = contract_of(source_name, table) -%}
    {%- set spelling = [contract.distribute_by] if contract.distribute_by and contract.distribute_by not in key else [] -%}
    {%- set latest_first = '_business_date desc, _load_id desc' ~ (', ' ~ tie_break if tie_break else '') -%}
    select distinct on ({{ (key + spelling) | join(', ') }})
        version.*,
        {{ key[0] }} as _key
    from {{ source(source_name, table) }} as version
    {%- for column in spelling %}
    left join (
        select distinct of_key.{{ column }} as overruled
        from (
            select
                version.{{ column }},
                first_value(version.{{ column }}) over (
                    partition by {{ key | join(', ') }} order by {{ latest_first }}
                ) as latest
            from {{ source(source_name, table) }} as version
            where
                {{ is_known_version(source_name, table, contract) }}
                and {{ key[0] }} in (
                    select {{ key[0] }} from {{ source(source_name, table) }} where {{ column }} <> {{ key[0] }}
                )
        ) as of_key
        where of_key.{{ column }} <> of_key.latest
    ) as spelling on version.{{ column }} = spelling.overruled
    {%- endfor %}
    where
        {{ is_known_version(source_name, table, contract) }}
        {%- if spelling %}
        and spelling.overruled is null
        {%- endif %}
    order by {{ (key + spelling) | join(', ') }}, {{ latest_first }}
{%- endmacro %}

{# Condition: the row `version` of a raw table was known on the business date, and its record had not vanished since. #}
{% macro is_known_version(source_name, table, contract) -%}
    {%- set known = "_business_date <= (select business_date from " ~ ref('stg_night') ~ ")" -%}
        version.{{ known }}
        and not version._is_vanished is true
        and not exists (
            select from {{ source(source_name, table) }} as vanished
            where
                vanished._is_vanished
                and vanished.{{ known }}
                and (vanished._business_date, vanished._load_id) > (version._business_date, version._load_id)
                {%- for column in contract.key %}
                and vanished.{{ column }} = version.{{ column }}
                {%- endfor %}
        )
{%- endmacro %}

{# The contract of a source table. A unit test of dbt is shown none, and nothing vanishes in it. #}
{% macro contract_of(source_name, table) -%}
    {%- if execute -%}
        {%- for node in graph.get('sources', {}).values() if node.source_name == source_name and node.name == table -%}
            {{ return(node.config.meta) }}
        {%- endfor -%}
    {%- endif -%}
    {{ return({'key': []}) }}
{%- endmacro %}

{# Text without the blanks around it, the ideographic, no-break and zero-width ones and a BOM too; null where nothing is left. #}
{% macro trimmed(column) -%}
    nullif(btrim({{ column }}, U&' \0009\000A\000D\00A0\200B\200C\200D\2060\3000\FEFF'), '')
{%- endmacro %}

{# A code of which no list is kept, or null where people typed a word for "blank". #}
{% macro stated(text) -%}
    case when lower({{ text }}) not in ('na', 'n/a', 'null', 'blank', '0') then {{ text }} end
{%- endmacro %}

{# The day on the operator's clock. A case received at 23:59 on 31 March there belongs to the year that ends that night. #}
{% macro local_date(column) -%}
    ({{ column }} at time zone '{{ env_var("CRW_CLOCK", "") or "Asia/Hong_Kong" }}')::date
{%- endmacro %}
