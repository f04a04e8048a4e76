with recipient as (
    select
        newsletter_code,
        person_key,
        min(occurred_at) filter (where event_type in ('delivered', 'bounce')) as sent_at,
        min(occurred_on) filter (where event_type in ('delivered', 'bounce')) as sent_on,
        -- A message that comes back after all was not delivered.
        bool_or(event_type = 'delivered') and not bool_or(event_type = 'bounce') as is_delivered,
        bool_or(event_type = 'bounce') as is_bounced,
        bool_or(event_type = 'dropped') as is_dropped,
        min(occurred_on) filter (where event_type = 'open' and not is_machine_open) as opened_on,
        min(occurred_on) filter (where is_machine_open) as machine_opened_on,
        min(occurred_on) filter (where event_type = 'click') as clicked_on,
        min(occurred_on) filter (where event_type = 'unsubscribe') as unsubscribed_on,
        min(occurred_on) filter (where event_type = 'spamreport') as spam_reported_on
    from {{ ref('fct_email_event') }}
    group by 1, 2
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
        recipient.newsletter_code,
        recipient.person_key,
        recipient.sent_at,
        coalesce(max(request.occurred_at) filter (where request.event_type = 'resubscribe'), '-infinity') as returned_at
    from recipient
    inner join request on recipient.person_key = request.person_key and recipient.sent_at > request.occurred_at
    group by 1, 2, 3
),

-- The request that stands when it is sent: the first since the person last wanted the newsletter.
standing as (
    select
        returned.newsletter_code,
        returned.person_key,
        min(request.occurred_on) as requested_on
    from returned
    inner join request
        on
            returned.person_key = request.person_key
            and request.event_type = 'unsubscribe'
            and returned.sent_at > request.occurred_at
            and returned.returned_at < request.occurred_at
    group by 1, 2
)

select
    recipient.newsletter_code,
    recipient.person_key,
    recipient.sent_on,
    recipient.is_delivered,
    recipient.is_bounced,
    recipient.is_dropped,
    recipient.opened_on,
    recipient.machine_opened_on,
    recipient.clicked_on,
    recipient.unsubscribed_on,
    recipient.spam_reported_on,
    standing.requested_on as unsubscribe_standing_since,
    last_day.date_day as last_send_allowed_on,
    recipient.sent_on > last_day.date_day as is_late_after_unsubscribe
from recipient
left join standing
    on recipient.newsletter_code = standing.newsletter_code and recipient.person_key = standing.person_key
left join {{ ref('dim_date') }} as requested_day on standing.requested_on = requested_day.date_day
left join {{ ref('dim_date') }} as last_day
    on
        last_day.is_working_day
        and requested_day.working_day_number + {{ var('unsubscribe_working_days') }} = last_day.working_day_number
