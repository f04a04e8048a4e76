{%- set features = feedback_features() | reject('in', ['post_office_code', 'size_band']) | list %}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['month_start'] + features,
    post_hook=["delete from {{ this }} where movements = 0", "analyze {{ this }}"]
) }}
{%- set cell = (['month_start'] + features) | join(', ') %}
{%- set columns = ['movements'] + feedback_counts() %}

with change as (
    {{ feedback_change_by_month(features) }}
),

cell as (
    select
        {{ cell }}
        {%- for count in columns %},
        {{ count }}
        {%- endfor %}
    from change
    {%- if is_incremental() %}
    union all
    select
        {{ cell }}
        {%- for count in columns %},
        {{ count }}
        {%- endfor %}
    from {{ this }}
    where ({{ cell }}) in (select {{ cell }} from change)
    {%- endif %}
)

select
    {{ cell }}
    {%- for count in columns %},
    sum({{ count }})::integer as {{ count }}
    {%- endfor %}
from cell
group by {{ cell }}
-- depends_on: {{ ref('changed_feedback_count') }}
