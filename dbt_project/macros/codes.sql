{#
  The code of a list that a text of a source stands for, as the list spells it, whatever blanks and capitals it was typed with; null
  where the list has no such code. Looked up and not joined, so that conditions reach into the staging views as before: PostgreSQL
  reads the list once a query. Args: list; text: SQL expression; gives: what to give instead of the code, of seed code_list.
#}
{% macro code(list, text, gives='code') -%}
    ((select jsonb_object_agg(lower(code), {{ gives }}) from {{ ref('code_list') }} where list = '{{ list }}') ->> lower({{ trimmed(text) }}))
{%- endmacro %}

{# What that code counts as; a code that counts as nothing else is itself. Args as of code. #}
{% macro concept(list, text) -%}
    {{ code(list, text, gives='coalesce(counts_as, code)') }}
{%- endmacro %}

{# The same of a district, whose list is a seed of its own. #}
{% macro district_code(text) -%}
    ((select jsonb_object_agg(lower(district_code), district_code) from {{ ref('district') }}) ->> lower({{ trimmed(text) }}))
{%- endmacro %}

{# Query of the codes of a list. #}
{% macro codes(list) -%}
    select code from {{ ref('code_list') }} where list = '{{ list }}'
{%- endmacro %}

{# Query of those of them that count as a concept. #}
{% macro codes_of(list, concept) -%}
    {{ codes(list) }} and counts_as = '{{ concept }}'
{%- endmacro %}
