{#
  On several machines (Citus): a table whose YAML says `distribute_by` is spread over them by that column. Whether the warehouse is such a one,
  the database says by the extension it has.
#}
{% macro is_distributed() -%}
    {{ return(execute and run_query("select exists (select from pg_extension where extname = 'citus')").rows[0][0]) }}
{%- endmacro %}

{# As dbt makes a table; one to be distributed is so before it is filled, so that each machine fills its part. #}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- set statement = dbt.postgres__create_table_as(temporary, relation, sql) -%}
    {%- set column = model.config.meta.distribute_by -%}
    {%- if column and not temporary and is_distributed() -%}
        {%- set fills = 'insert into ' ~ relation -%}
        {%- set statement = statement | replace(fills, "select create_distributed_table('" ~ relation ~ "', '" ~ column ~ "');\n" ~ fills, 1) -%}
    {%- endif -%}
    {{ statement }}
{%- endmacro %}
