{%- set cell = ['unit_start', 'dimension', 'dimension_value', 'kind', 'milestone'] %}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=cell,
    post_hook=["delete from {{ this }} where cardinality(cases) = 0", "analyze {{ this }}"]
) }}
{%- set cell = cell | join(', ') %}
{%- set dimensions = {
    'all': "'all'", 'service': 'service_code', 'issue': 'issue_code', 'channel': 'channel_code', 'district': 'district_code',
    'post_office': 'post_office_code', 'language': 'language'
} %}
{%- set columns = [
    'milestone', 'month_start', 'kind', 'service_code', 'issue_code', 'channel_code', 'district_code', 'post_office_code', 'language',
    'calendar_days', 'working_days'
] | join(', ') %}

-- Tonight's steps of the changed cases, less what they had been; on a build from nothing, all.
with step as materialized (
    select
        {{ columns }},
        1 as cases
    from (
        {{ feedback_steps(
            ref('fct_feedback_milestone'), ref('fct_feedback_case'), '(select business_date from ' ~ ref('as_of') ~ ')',
            is_changed('step.case_no', changed_cases()) ~ ' and ' ~ is_changed('feedback.case_no', changed_cases())
        ) }}
    ) as counted
    {%- if is_incremental() %}
    union all
    select
        {{ columns }},
        -1
    from {{ ref('changed_feedback_step') }}
    {%- endif %}
),

-- One dimension after the other, so that no more than one is in memory.
change as materialized (
    {%- for dimension, value in dimensions.items() %}
    select
        {{ 'month_start' if dimension in timed_by_month() else "date_trunc('quarter', month_start)::date" }}
            as unit_start,
        '{{ dimension }}' as dimension,
        {{ value }} as dimension_value,
        kind,
        milestone,
        calendar_days,
        working_days,
        sum(cases)::integer as cases
    from step
    group by 1, 3, 4, 5, 6, 7
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

counted as (
    {%- if is_incremental() %}
    select
        {{ cell }},
        calendar_days,
        working_days,
        sum(cases)::integer as cases
    from (
        select
            {{ cell }},
            calendar_days,
            working_days,
            cases
        from change
        union all
        select
            {{ cell }},
            unnest(calendar_days),
            unnest(working_days),
            unnest(cases)
        from {{ this }}
        where
            {{ is_changed('unit_start', 'select unit_start from change') }}
            and ({{ cell }}) in (select {{ cell }} from change)
    ) as counted
    group by {{ cell }}, calendar_days, working_days
    {%- else %}
    select * from change
    {%- endif %}
)

select
    {{ cell }}
    {%- for column in ['calendar_days', 'working_days', 'cases'] %},
    coalesce(
        array_agg({{ column }} order by calendar_days, working_days) filter (where cases > 0), '{}'
    ) as {{ column }}
    {%- endfor %}
from counted
group by {{ cell }}
-- depends_on: {{ ref('changed_feedback_step') }}
