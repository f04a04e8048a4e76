-- Both ways: none is lost or doubled on the way to the fact, and none stays that staging no longer knows.
select coalesce(staged.registration_id, fact.registration_id) as registration_id
from (
    select registration.registration_id
    from {{ ref('stg_engagement__registration') }} as registration
    where registration.activity_id in (select activity_id from {{ ref('dim_activity') }})
) as staged
full join {{ ref('fct_activity_registration') }} as fact on staged.registration_id = fact.registration_id
where staged.registration_id is null or fact.registration_id is null
