{# The counts of the marts on feedback: measures of fct_feedback_movement. #}
{% macro feedback_counts() -%}
    {{ return([
        'received', 'received_anonymous', 'received_withdrawn', 'received_reopened', 'closed',
        'found_substantiated', 'found_partly', 'found_unsubstantiated',
        'acknowledgement_due', 'acknowledgement_within_target', 'first_reply_due', 'first_reply_within_target',
        'substantive_reply_due', 'substantive_reply_within_target',
    ]) }}
{%- endmacro %}

{# Rows (dimension, dimension_value) of a case, to be used in a lateral join. Args: case: alias; dimensions: those wanted. #}
{% macro feedback_dimensions(case, dimensions) -%}
    {%- set columns = {
        'service': case ~ '.service_code', 'issue': case ~ '.issue_code', 'channel': case ~ '.channel_code',
        'district': case ~ '.district_code', 'post_office': case ~ '.post_office_code', 'language': case ~ '.language',
        'segment': 'customer.size_band',
    } -%}
    values
    {%- for dimension in dimensions %}
    ('{{ dimension }}', {{ "'all'" if dimension == 'all' else "coalesce(" ~ columns[dimension] ~ ", 'not_stated')" }}){{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
