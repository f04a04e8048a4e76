with arrival as (
    select
        newsletter_code,
        person_key,
        event_type,
        occurred_at,
        occurred_on,
        bool_or(event_type = 'delivered') over (
            partition by newsletter_code, person_key order by occurred_at asc, event_type desc rows unbounded preceding
        ) as has_arrived,
        row_number() over (
            partition by newsletter_code, person_key order by occurred_at desc, event_type asc
        ) as place_from_last
    from {{ ref('fct_email_event') }}
    where event_type in ('delivered', 'bounce')
),

-- Each time it was sent: an issue may go out again to who did not open it. A bounce after a delivery is no sending.
send as (
    select
        newsletter_code,
        person_key,
        occurred_at as sent_at,
        occurred_on as sent_on
    from arrival
    where event_type = 'delivered' or not has_arrived
),

-- What came last decides: a message that comes back after all was not delivered, one that bounced first and came was.
fate as (
    select
        newsletter_code,
        person_key,
        event_type
    from arrival
    where place_from_last = 1
),

recipient as (
    select
        newsletter_code,
        person_key,
        min(occurred_on) filter (where event_type in ('delivered', 'bounce')) as sent_on,
        bool_or(event_type = 'dropped') as is_dropped,
        min(occurred_on) filter (where event_type = 'open' and not is_machine_open) as opened_on,
        min(occurred_on) filter (where is_machine_open) as machine_opened_on,
        min(occurred_on) filter (where event_type = 'click') as clicked_on,
        min(occurred_on) filter (where event_type = 'unsubscribe') as unsubscribed_on,
        min(occurred_on) filter (where event_type = 'spamreport') as spam_reported_on
    from {{ ref('fct_email_event') }}
    group by newsletter_code, person_key
),

request as (
    select
        person_key,
        event_type,
        occurred_at,
        occurred_on
    from {{ ref('fct_email_event') }}
    where event_type in ('unsubscribe', 'resubscribe')
),

returned as (
    select
        send.newsletter_code,
        send.person_key,
        send.sent_at,
        send.sent_on,
        coalesce(max(request.occurred_at) filter (where request.event_type = 'resubscribe'), '-infinity') as returned_at
    from send
    inner join request on send.person_key = request.person_key and send.sent_at > request.occurred_at
    group by send.newsletter_code, send.person_key, send.sent_at, send.sent_on
),

-- The request that stands when it is sent: the first since the person last wanted the newsletter.
standing as (
    select
        returned.newsletter_code,
        returned.person_key,
        returned.sent_at,
        returned.sent_on,
        min(request.occurred_on) as requested_on
    from returned
    inner join request
        on
            returned.person_key = request.person_key
            and request.event_type = 'unsubscribe'
            and returned.sent_at > request.occurred_at
            and returned.returned_at < request.occurred_at
    group by returned.newsletter_code, returned.person_key, returned.sent_at, returned.sent_on
),

held_against as (
    select
        standing.newsletter_code,
        standing.person_key,
        standing.sent_at,
        standing.requested_on,
        last_day.date_day as last_send_allowed_on,
        {{ is_past_working_days('requested_day', 'sent_day', var('unsubscribe_working_days')) }} as is_late
    from standing
    left join {{ ref('dim_date') }} as requested_day on standing.requested_on = requested_day.date_day
    left join {{ ref('dim_date') }} as sent_day on standing.sent_on = sent_day.date_day
    left join {{ ref('dim_date') }} as last_day
        on
            last_day.is_working_day
            and requested_day.working_day_number + {{ var('unsubscribe_working_days') }} = last_day.working_day_number
),

-- Of several sends while a request stands one that was too late is told, else one that may have been, else the first.
judged as (
    select distinct on (newsletter_code, person_key) *
    from held_against
    order by newsletter_code asc, person_key asc, is_late is not false desc, is_late is null asc, sent_at asc
)

select
    recipient.newsletter_code,
    recipient.person_key,
    recipient.sent_on,
    coalesce(fate.event_type = 'delivered', false) as is_delivered,
    coalesce(fate.event_type = 'bounce', false) as is_bounced,
    recipient.is_dropped,
    recipient.opened_on,
    recipient.machine_opened_on,
    recipient.clicked_on,
    recipient.unsubscribed_on,
    recipient.spam_reported_on,
    judged.requested_on as unsubscribe_standing_since,
    judged.last_send_allowed_on,
    judged.is_late as is_late_after_unsubscribe
from recipient
left join fate
    on recipient.newsletter_code = fate.newsletter_code and recipient.person_key = fate.person_key
left join judged
    on recipient.newsletter_code = judged.newsletter_code and recipient.person_key = judged.person_key
