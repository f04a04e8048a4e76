{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='month_start',
    post_hook=["delete from {{ this }} where movements = 0", "analyze {{ this }}"]
) }}
{%- set dimensions = {
    'all': "'all'", 'service': 'service_code', 'channel': 'channel_code', 'district': 'district_code', 'post_office': 'post_office_code',
    'language': 'language', 'segment': 'size_band'
} %}
{%- set columns = ['movements'] + feedback_counts() %}

with change as materialized (
    {{ feedback_change_by_month() }}
),

cell as (
    select
        change.month_start,
        change.kind,
        feature.dimension,
        feature.dimension_value,
        feature.issue_code
        {%- for count in columns %},
        change.{{ count }}
        {%- endfor %}
    from change
    cross join lateral (
        values
        {%- for dimension, value in dimensions.items() %}
        ('{{ dimension }}', {{ value }}, 'all'),
        {%- endfor %}
        ('issue', service_code, issue_code)
    ) as feature (dimension, dimension_value, issue_code)
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
    where month_start in (select month_start from change)
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
