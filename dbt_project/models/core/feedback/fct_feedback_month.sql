{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='month_start',
    post_hook=["delete from {{ this }} where movements = 0", "analyze {{ this }}"]
) }}
{%- set dimensions = {
    'all': "'all'", 'service': 'service_code', 'channel': 'channel_code', 'district': 'district_code', 'language': 'language'
} %}
{%- set columns = ['movements'] + feedback_counts() %}

-- Post offices and sizes of companies are in no row by code: of such rows there would be as many as cases.
with change as materialized (
    {{ feedback_change_by_month(['kind', 'post_office_code', 'size_band']) }}
),

cell as (
    select
        by_code.month_start,
        by_code.kind,
        feature.dimension,
        feature.dimension_value,
        feature.issue_code
        {%- for count in columns %},
        by_code.{{ count }}
        {%- endfor %}
    from {{ ref('fct_feedback_month_by_code') }} as by_code
    cross join lateral (
        values
        {%- for dimension, value in dimensions.items() %}
        ('{{ dimension }}', {{ value }}, 'all'),
        {%- endfor %}
        ('issue', service_code, issue_code)
    ) as feature (dimension, dimension_value, issue_code)
    where {{ is_changed('by_code.month_start', 'select month_start from change') }}
    union all
    select
        change.month_start,
        change.kind,
        feature.dimension,
        feature.dimension_value,
        'all'
        {%- for count in columns %},
        change.{{ count }}
        {%- endfor %}
    from change
    cross join lateral (
        values ('post_office', post_office_code), ('segment', size_band)
    ) as feature (dimension, dimension_value)
    {%- if is_incremental() %}
    union all
    select
        month_start,
        kind,
        dimension,
        dimension_value,
        issue_code
        {%- for count in columns %},
        {{ count }}
        {%- endfor %}
    from {{ this }}
    where dimension in ('post_office', 'segment') and {{ is_changed('month_start', 'select month_start from change') }}
    {%- endif %}
)

select
    month_start,
    kind,
    dimension,
    dimension_value,
    issue_code
    {%- for count in columns %},
    sum({{ count }})::integer as {{ count }}
    {%- endfor %}
from cell
group by month_start, kind, dimension, dimension_value, issue_code
-- depends_on: {{ ref('changed_feedback_count') }}
