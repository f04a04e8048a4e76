-- Both ways: each pair of mailing and recipient that has an event, and no other; what was sent is what has a day of it.
with event as (
    select
        newsletter_code,
        person_key,
        bool_or(event_type in ('delivered', 'bounce')) as was_sent
    from {{ ref('fct_email_event') }}
    group by 1, 2
)

select
    coalesce(event.newsletter_code, recipient.newsletter_code) as newsletter_code,
    coalesce(event.person_key, recipient.person_key) as person_key
from event
full join {{ ref('fct_newsletter_recipient') }} as recipient
    on event.newsletter_code = recipient.newsletter_code and event.person_key = recipient.person_key
where
    event.was_sent is null
    or recipient.is_delivered is null
    or event.was_sent <> (recipient.sent_on is not null)
    or event.was_sent <> (recipient.is_delivered or recipient.is_bounced)
