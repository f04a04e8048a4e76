{#
  A layer's schema is named as the layer, without dbt's `<target schema>_` before it. CRW_AS_OF_SCHEMA sends every layer into one
  schema of that name instead: the warehouse as it was known on a past date (include/crw/as_of.py).
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (env_var('CRW_AS_OF_SCHEMA', '') or custom_schema_name or target.schema) | trim }}
{%- endmacro %}
