-- Who speaks for two companies: for which of them a newsletter was read, nobody knows.
with person as (
    select
        contact.person_key,
        min(contact.company_id) as company_id
    from {{ ref('stg_membership__contact') }} as contact
    inner join {{ ref('dim_customer') }} as customer on contact.company_id = customer.company_id
    where contact.person_key is not null
    group by contact.person_key
    having count(distinct contact.company_id) = 1
)

select
    event.event_id,
    event.newsletter_code,
    event.person_key,
    person.company_id,
    event.event_type,
    event.is_machine_open,
    event.occurred_at,
    event.occurred_on
from {{ ref('stg_engagement__email_event') }} as event
left join person on event.person_key = person.person_key
