-- A registration whose activity is in no programme yet waits until it is.
select
    registration.registration_id,
    registration.activity_id,
    customer.company_id,
    coalesce(registration.person_key, registration.registration_id) as person_key,
    registration.registered_on,
    activity.held_on,
    registration.attended,
    registration.is_walk_in
from {{ ref('stg_engagement__registration') }} as registration
inner join {{ ref('dim_activity') }} as activity on registration.activity_id = activity.activity_id
left join {{ ref('dim_customer') }} as customer on registration.company_id = customer.company_id
