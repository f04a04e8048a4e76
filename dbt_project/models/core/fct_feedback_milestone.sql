{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='case_no',
    on_schema_change='append_new_columns',
    pre_hook="{{ forget_gone(this, 'case_no', ref('fct_feedback_case')) }}",
    post_hook="analyze {{ this }}"
) }}

with feedback as (
    select
        feedback.*,
        hashint8extended(
            feedback._inputs_hash, hashtextextended(target.version || '{{ local_md5(model.raw_code) }}', 0)
        ) as version
    from {{ ref('fct_feedback_case') }} as feedback
    cross join (
        select
            coalesce(
                string_agg(concat_ws(' ', milestone, limit_days, day_basis), '|' order by milestone), ''
            ) as version
        from {{ ref('service_target') }}
    ) as target
),

changed as (
    select feedback.*
    from feedback
    {% if is_incremental() %}
        left join {{ this }} as known on feedback.case_no = known.case_no and known.milestone = 'closing'
        where feedback.version is distinct from known._inputs_hash
    {% endif %}
)

select
    changed.case_no,
    step.milestone,
    -- What is withdrawn before anything was said, or lives on in another case, is no longer due.
    case
        when not changed.is_counted or coalesce(changed.status = 'withdrawn', false) then null
        when target.day_basis = 'calendar' then changed.received_on + target.limit_days
        when target.day_basis = 'working' then due_day.date_day
    end as due_on,
    step.met_on,
    step.calendar_days,
    step.working_days,
    changed.version as _inputs_hash
from changed
cross join lateral (
    values
        ('acknowledgement', acknowledged_on, acknowledged_days, acknowledged_working_days),
        ('first_reply', first_reply_on, first_reply_days, first_reply_working_days),
        ('substantive_reply', replied_on, replied_days, replied_working_days),
        ('closing', closed_on, closed_days, closed_working_days)
) as step (milestone, met_on, calendar_days, working_days)
left join {{ ref('service_target') }} as target on step.milestone = target.milestone
left join {{ ref('dim_date') }} as received_day
    on target.day_basis = 'working' and changed.received_on = received_day.date_day
left join {{ ref('dim_date') }} as due_day
    on due_day.is_working_day and due_day.working_day_number = received_day.working_day_number + target.limit_days
