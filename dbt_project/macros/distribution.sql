{#
  On several machines: a table whose YAML says `distribute_by` is spread over them by that column. Whether the warehouse is such a one, its
  database says: it has the extension Citus then.
#}
{% macro is_distributed() -%}
    {{ return(execute and asked_once('is_distributed', "select exists (select from pg_extension where extname = 'citus')")) }}
{%- endmacro %}

{# As dbt makes a table; one to be distributed is so before it is filled, so that each machine fills its part. #}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- set statement = dbt.postgres__create_table_as(temporary, relation, sql) -%}
    {%- set column = model.config.meta.distribute_by -%}
    {%- if column and not temporary and is_distributed() -%}
        {%- set fills = 'insert into ' ~ relation -%}
        {%- set statement = statement | replace(
            fills, "select create_distributed_table('" ~ relation ~ "', '" ~ column ~ "');\n" ~ fills, 1
        ) -%}
    {%- endif -%}
    {{ statement }}
{%- endmacro %}

{# What columns a query has: dbt asks for none of its rows, for which Citus makes all that it is made of. A view is asked instead. #}
{% macro postgres__get_empty_subquery_sql(select_sql, select_sql_header=none) -%}
    {%- if not is_distributed() -%}
        {{ return(dbt.default__get_empty_subquery_sql(select_sql, select_sql_header)) }}
    {%- endif -%}
    {%- do run_query('create temporary view shape as ' ~ select_sql) -%}
    {%- set columns = run_query(
        "select format('null::%s as %I', format_type(atttypid, atttypmod), attname) from pg_attribute"
        ~ " where attrelid = 'shape'::regclass order by attnum"
    ) -%}
    {%- do run_query('drop view shape') -%}
    select {{ columns.columns[0].values() | join(', ') }} where false
{%- endmacro %}
