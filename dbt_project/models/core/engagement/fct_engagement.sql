select distinct
    company_id,
    occurred_on as engaged_on,
    'newsletter_' || event_type as kind
from {{ ref('fct_email_event') }}
where company_id is not null and (event_type = 'click' or event_type = 'open' and not is_machine_open)
union all
select distinct
    registration.company_id,
    activity.held_on,
    'activity_attended'
from {{ ref('fct_activity_registration') }} as registration
inner join {{ ref('dim_activity') }} as activity on registration.activity_id = activity.activity_id
where registration.company_id is not null and registration.attended
