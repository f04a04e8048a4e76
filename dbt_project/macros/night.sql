{# Whether tonight's build goes on from what the last one left, or makes everything anew (core.build says why). #}
{% macro goes_on() -%}
    {#- Documentation and lineage are of a build from nothing, whatever was built last. -#}
    {%- if not execute or flags.FULL_REFRESH or flags.WHICH == 'generate' -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set build = adapter.get_relation(target.dbname, generate_schema_name('core', none), 'build') -%}
    {{ return(build is not none and asked_once('goes_on', 'select goes_on from ' ~ build)) }}
{%- endmacro %}

{# What a query of one value says, asked once a run, not by each of a hundred nodes: `graph` is what the nodes of a run have in common. #}
{% macro asked_once(name, query) -%}
    {%- set question = invocation_id ~ ' ' ~ name -%}
    {%- if question not in graph -%}
        {%- do graph.update({question: run_query(query).rows[0][0]}) -%}
    {%- endif -%}
    {{ return(graph[question]) }}
{%- endmacro %}

{# dbt's own question of an incremental model, so that such a model is made anew, too, on a night that does not go on. #}
{% macro should_full_refresh() -%}
    {#- What is never made anew of itself is so when all is asked for: else two lists would drop the same views at once, and deadlock. #}
    {%- set is_by_build = config.get('materialized') == 'incremental' and config.get('full_refresh') is not sameas false -%}
    {{ return(not goes_on() if is_by_build else flags.FULL_REFRESH) }}
{%- endmacro %}

{# A seed that has other columns than its table is made anew: dbt would fill the table of before. #}
{% macro postgres__reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
    {%- set stands = adapter.get_columns_in_relation(old_relation) | map(attribute='name') | list -%}
    {{ return(default__reset_csv_table(
        model, full_refresh or stands != agate_table.column_names | list, old_relation, agate_table
    )) }}
{%- endmacro %}

{# A table of core as the last build left it: only for models that run before it is touched. #}
{% macro former(name) -%}
    {{ return(adapter.get_relation(target.dbname, generate_schema_name('core', none), name)) }}
{%- endmacro %}

{#
  Condition: the column is among the keys that the night changed; on a night that makes everything anew, all are. An array,
  not a join, so that an index is used and the condition reaches into the staging views; of two columns as a text, for no array of rows
  goes from one machine to another. Args: column, or (two, columns); keys: a query.
#}
{% macro is_changed(column, keys) -%}
    {{ column ~ ('::text' if ',' in column) ~ ' = any(array(' ~ keys ~ '))' if is_incremental() else 'true' }}
{%- endmacro %}

{# Before an incremental run: delete the rows of the keys that are made anew, or are no more. Args as of is_changed. #}
{% macro forget_changed(column, keys) -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ is_changed(column, keys) }}
    {%- endif -%}
{%- endmacro %}

{# The same of a data test: it looks at what the night changed, and at everything when everything was made anew. #}
{% macro is_tested(column, keys) -%}
    {{ column ~ ' = any(array(' ~ keys ~ '))' if goes_on() else 'true' }}
{%- endmacro %}

{# Queries of the keys that the night changed, for is_changed and forget_changed. #}
{% macro changed_cases() -%}
    select case_no from {{ ref('changed_case') }}
{%- endmacro %}

{% macro changed_companies() -%}
    select company_id from {{ ref('changed_company') }}
{%- endmacro %}

{% macro changed_waves() -%}
    select wave_code from {{ ref('changed_wave') }}
{%- endmacro %}

{% macro changed_keys(relation, type='text') -%}
    select key::{{ type }} from {{ ref('changed_key') }} where relation = '{{ relation }}'
{%- endmacro %}

{#
  After a run: the build counts as finished if every table was built and no test failed. A later one goes on from there, and leaves out
  the views that stand (crw.transform).
#}
{% macro finish_build(results) -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node.unique_id') | list -%}
        {%- set bad = results | selectattr('status', 'in', ['error', 'fail', 'skipped']) | list -%}
        {%- set tables = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
            | rejectattr('config.materialized', 'equalto', 'view') | map(attribute='unique_id') | list -%}
        {%- if not bad and not tables | reject('in', built) | list -%}
            update {{ former('build') }} set is_finished = true
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
