{{ config(
    materialized='incremental',
    indexes=[{'columns': ['due_on']}, {'columns': ['met_on']}],
    pre_hook="{{ forget_changed('case_no', amended_cases()) }}",
    post_hook="analyze {{ this }}"
) }}

with changed as (
    select *
    from {{ ref('fct_feedback_case') }}
    where {{ is_changed('case_no', amended_cases()) }}
)

select
    changed.case_no,
    step.milestone,
    -- What is withdrawn or lives on in another case is no longer due. Of a step before the receipt, a typing error,
    -- nobody knows whether it was in time.
    case
        when not changed.is_counted or coalesce(changed.status = 'withdrawn', false) then null
        when step.met_on < changed.received_on then null
        when target.day_basis = 'calendar' then changed.received_on + target.limit_days
        when target.day_basis = 'working' then due_day.date_day
    end as due_on,
    step.met_on,
    step.calendar_days,
    step.working_days
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
