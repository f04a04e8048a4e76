{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='event_id',
    on_schema_change='append_new_columns',
    pre_hook="{{ forget_gone(this, 'event_id', ref('stg_engagement__email_event')) }}",
    post_hook="analyze {{ this }}"
) }}

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
    event.occurred_on,
    event._load_id
from {{ ref('stg_engagement__email_event') }} as event
left join person on event.person_key = person.person_key
{% if is_incremental() %}
    -- Versions are compared, not a high-water mark: a re-run can put an older version back, and loads may commit late.
    -- The CRM may come to know a recipient, or the company, later.
    left join {{ this }} as known on event.event_id = known.event_id
    where
        event._load_id is distinct from known._load_id
        or person.company_id is distinct from known.company_id
{% endif %}
