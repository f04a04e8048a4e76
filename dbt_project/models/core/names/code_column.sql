-- Made of what the marts' own YAML says.
{% set found = [] %}
{% for node in (graph.nodes.values() if execute else []) if node.resource_type == 'model' and node.fqn[1] == 'marts' %}
    {% for column in node.columns.values() if column.config.meta.codes %}
        {% do found.append("('" ~ [node.name, column.name, column.config.meta.codes] | join("', '") ~ "')") %}
    {% endfor %}
{% endfor %}
select
    mart,
    column_name,
    list
from (values {{ (found or ["('', '', '')"]) | sort | join(', ') }}) as coded (mart, column_name, list)
