{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='case_no',
    on_schema_change='append_new_columns',
    pre_hook="{{ forget_gone(this, 'case_no', ref('stg_feedback__case')) }}",
    post_hook="analyze {{ this }}"
) }}

with milestone as (
    select
        case_no,
        min(occurred_at) filter (where event_type = 'acknowledged') as acknowledged_at,
        min(occurred_at) filter (where event_type in ('interim_reply', 'replied')) as first_reply_at,
        min(occurred_at) filter (where event_type = 'replied') as replied_at,
        count(*) filter (where event_type = 'reopened') as reopened_count,
        bit_xor(hashint8extended(event_id, _load_id)) as event_versions
    from {{ ref('fct_feedback_event') }}
    group by 1
),

-- A code that its dimension does not know is no reference: it becomes null, never a sentinel.
feedback as (
    select
        feedback.case_no,
        category.category_code,
        category.kind,
        issue.issue_code,
        service.service_code,
        channel.channel_code,
        office.post_office_code,
        district.district_code,
        customer.company_id,
        feedback.person_key,
        feedback.is_anonymous,
        feedback.language,
        feedback.status,
        feedback.outcome,
        feedback.incident_date_text,
        feedback.received_at,
        feedback.received_on,
        milestone.acknowledged_at,
        milestone.first_reply_at,
        milestone.replied_at,
        feedback.closed_at,
        coalesce(milestone.reopened_count, 0)::integer as reopened_count,
        -- Everything that a row is made of: when any of it changes, the row is made anew.
        hashtextextended(concat_ws(
            '|', feedback._load_id, milestone.event_versions, category.kind, category.category_code, issue.issue_code,
            service.service_code, channel.channel_code, office.post_office_code, district.district_code,
            customer.company_id, calendar.version, '{{ local_md5(model.raw_code) }}'
        ), 0) as _inputs_hash
    from {{ ref('stg_feedback__case') }} as feedback
    cross join (
        select bit_xor(hashtextextended(holiday_date::text, 0)) as version from {{ ref('public_holiday') }}
    ) as calendar
    left join milestone on feedback.case_no = milestone.case_no
    left join {{ ref('stg_feedback__category') }} as category on feedback.category_code = category.category_code
    left join {{ ref('dim_issue') }} as issue on category.issue_code = issue.issue_code
    left join {{ ref('dim_service') }} as service on feedback.service_code = service.service_code
    left join {{ ref('dim_channel') }} as channel on feedback.channel_code = channel.channel_code
    left join {{ ref('dim_post_office') }} as office on feedback.post_office_code = office.post_office_code
    left join {{ ref('dim_district') }} as district on feedback.district_code = district.district_code
    left join {{ ref('dim_customer') }} as customer on feedback.company_id = customer.company_id
),

changed as (
    select feedback.*
    from feedback
    {% if is_incremental() %}
        left join {{ this }} as known on feedback.case_no = known.case_no
        where feedback._inputs_hash is distinct from known._inputs_hash
    {% endif %}
)

{% set milestones = ['acknowledged', 'first_reply', 'replied', 'closed'] %}
select
    changed.case_no,
    changed.category_code,
    changed.kind,
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
    {{ incident_date('changed.incident_date_text') }} as incident_on,
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
    changed._inputs_hash
from changed
left join {{ ref('dim_date') }} as received_day on changed.received_on = received_day.date_day
{%- for milestone in milestones %}
left join {{ ref('dim_date') }} as {{ milestone }}_day
    on {{ hong_kong_date('changed.' ~ milestone ~ '_at') }} = {{ milestone }}_day.date_day
{%- endfor %}
