{#
  The descriptions of a table and its columns in one statement: its contract says that it has them all, where dbt asks twice, slowly, which
  columns it has. A table that a build goes on from has its descriptions: another one makes another project version.
#}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if not model.config.contract.enforced -%}
        {{ return(dbt.default__persist_docs(relation, model, for_relation, for_columns)) }}
    {%- endif -%}
    {%- if not is_incremental() -%}
        {%- call statement('descriptions') -%}
            comment on {{ relation.type }} {{ relation }} is {{ postgres_escape_comment(model.description) }};
            {%- for column in model.columns.values() %}
            comment on column {{ relation }}.{{ adapter.quote(column.name) }} is {{ postgres_escape_comment(column.description) }};
            {%- endfor %}
        {%- endcall -%}
    {%- endif -%}
{%- endmacro %}
