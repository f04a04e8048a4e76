{{ config(
    materialized='incremental',
    indexes=[{'columns': ['received_on']}, {'columns': ['_stated_category_code']}, {'columns': ['_stated_post_office_code']}, {'columns': ['_stated_company_id']}],
    pre_hook="{{ forget_changed('case_no', amended_cases()) }}",
    post_hook="analyze {{ this }}"
) }}

{%- set steps = {
    'acknowledged': "('acknowledged')", 'first_reply': "('interim_reply', 'replied')", 'replied': "('replied')"
} %}

with feedback as not materialized (
    select *
    from {{ ref('fct_feedback_record') }}
    where {{ is_changed('case_no', amended_cases()) }}
),

milestone as (
    select
        event.case_no,
        {%- for step, types in steps.items() %}
        {#- A step before the receipt is a typing error: it stands only where the case has no better one. #}
        coalesce(
            min(event.occurred_at) filter (
                where event.event_type in {{ types }} and event.occurred_on >= feedback.received_on
            ),
            min(event.occurred_at) filter (where event.event_type in {{ types }})
        ) as {{ step }}_at,
        {%- endfor %}
        count(*) filter (where event.event_type = 'reopened') as reopened_count
    from {{ ref('fct_feedback_event') }} as event
    inner join feedback on event.case_no = feedback.case_no
    where {{ is_changed('event.case_no', amended_cases()) }}
    group by 1
),

-- A code that its dimension does not know is no reference: it becomes null, never a sentinel.
changed as (
    select
        feedback.case_no,
        category.category_code,
        category.kind,
        category.kind_concept,
        category.issue_code,
        feedback.service_code,
        feedback.channel_code,
        office.post_office_code,
        feedback.district_code,
        customer.company_id,
        feedback.person_key,
        feedback.is_anonymous,
        feedback.language,
        feedback.status,
        feedback.outcome,
        feedback.incident_on,
        feedback.received_at,
        feedback.received_on,
        milestone.acknowledged_at,
        milestone.first_reply_at,
        milestone.replied_at,
        -- Some systems keep the date of a case that was reopened: it is open, and its status says so.
        case
            when feedback.status is null or feedback.status in ('closed', 'withdrawn', 'merged') then feedback.closed_at
        end as closed_at,
        coalesce(milestone.reopened_count, 0)::integer as reopened_count,
        feedback.category_code as _stated_category_code,
        feedback.post_office_code as _stated_post_office_code,
        feedback.company_id as _stated_company_id
    from feedback
    left join milestone on feedback.case_no = milestone.case_no
    left join {{ ref('stg_feedback__category') }} as category on feedback.category_code = category.category_code
    left join {{ ref('dim_post_office') }} as office on feedback.post_office_code = office.post_office_code
    left join {{ ref('dim_customer') }} as customer on feedback.company_id = customer.company_id
)

{% set milestones = ['acknowledged', 'first_reply', 'replied', 'closed'] %}
select
    changed.case_no,
    changed.category_code,
    changed.kind,
    changed.kind_concept,
    changed.issue_code,
    changed.service_code,
    changed.channel_code,
    changed.post_office_code,
    changed.district_code,
    changed.company_id,
    changed.person_key,
    changed.is_anonymous,
    changed.language,
    changed.status,
    changed.outcome,
    -- A merged case lives on in another one; counting both would count one letter twice.
    coalesce(changed.status <> 'merged', true) as is_counted,
    changed.incident_on,
    changed.received_at,
    changed.received_on,
    {%- for milestone in milestones %}
    changed.{{ milestone }}_at,
    {{ milestone }}_day.date_day as {{ milestone }}_on,
    {#- A milestone before the receipt is a typing error: it has a date, but no duration. #}
    case when {{ milestone }}_day.date_day >= changed.received_on
        then {{ milestone }}_day.date_day - changed.received_on end as {{ milestone }}_days,
    case when {{ milestone }}_day.date_day >= changed.received_on
        then {{ milestone }}_day.working_day_number - received_day.working_day_number
    end as {{ milestone }}_working_days,
    {%- endfor %}
    changed.reopened_count,
    changed._stated_category_code,
    changed._stated_post_office_code,
    changed._stated_company_id
from changed
left join {{ ref('dim_date') }} as received_day on changed.received_on = received_day.date_day
{%- for milestone in milestones %}
left join {{ ref('dim_date') }} as {{ milestone }}_day
    on {{ local_date('changed.' ~ milestone ~ '_at') }} = {{ milestone }}_day.date_day
{%- endfor %}
-- depends_on: {{ ref('changed_feedback_day') }}, {{ ref('changed_feedback_count') }}
-- depends_on: {{ ref('changed_feedback_step') }}
