{#
  Keys from one table of core to another, so that a tool can draw them: `references` in meta of a column names the table. Columns of a
  table that name the same one are its key together, in the order of that key. They are not enforced: the models join what they refer to,
  a test watches that it is there, and nothing is looked up again at night. A distributed table has none: Citus allows only keys that are enforced.
#}
{% macro add_references() -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set models = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') -%}
        {%- set models = models | rejectattr('config.meta.distribute_by') if is_distributed() else models -%}
        {%- for model in models | list -%}
            {%- set keys = {} -%}
            {%- for column in model.columns.values() if column.config.meta.references -%}
                {%- do keys.setdefault(column.config.meta.references, []).append(column.name) -%}
            {%- endfor -%}
            {%- for target, columns in keys.items() if former(model.name) and former(target) %}
                alter table {{ former(model.name) }} add foreign key ({{ columns | join(', ') }})
                references {{ former(target) }} not enforced;
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#
  Before a run, all at once: a table that is made anew takes the keys to it along, and two that go at the same time would each wait for a
  table that the other one holds.
#}
{% macro drop_references() -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        do $$
        declare
            key record;
        begin
            for key in
                select conrelid::regclass as relation, conname
                from pg_constraint
                where contype = 'f' and connamespace = to_regnamespace('{{ generate_schema_name('core', none) }}')
                order by conrelid
            loop
                execute format('alter table %s drop constraint %I', key.relation, key.conname);
            end loop;
        end $$
    {%- endif -%}
{%- endmacro %}
