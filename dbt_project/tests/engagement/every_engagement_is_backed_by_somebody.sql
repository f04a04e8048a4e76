-- Both ways: each engagement of a company goes back to a click, an open by a person or an attendance, and each of those
-- is one.
with act as (
    select
        company_id,
        occurred_on as engaged_on
    from {{ ref('fct_email_event') }}
    where event_type in ('click', 'open') and not is_machine_open
    union
    select
        registration.company_id,
        activity.held_on
    from {{ ref('fct_activity_registration') }} as registration
    inner join {{ ref('dim_activity') }} as activity on registration.activity_id = activity.activity_id
    where registration.attended
),

engagement as (
    select distinct
        company_id,
        engaged_on
    from {{ ref('fct_engagement') }}
)

select
    coalesce(act.company_id, engagement.company_id) as company_id,
    coalesce(act.engaged_on, engagement.engaged_on) as engaged_on
from (select * from act where company_id is not null) as act
full join engagement on act.company_id = engagement.company_id and act.engaged_on = engagement.engaged_on
where act.company_id is null or engagement.company_id is null
