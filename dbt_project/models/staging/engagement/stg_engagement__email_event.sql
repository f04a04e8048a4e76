with latest as (
    {{ latest_version('engagement', 'email_event', [trimmed('event_id')]) }}
)

select
    {{ trimmed('event_id') }} as event_id,
    {{ concept('newsletter_event', 'event_type') }} as event_type,
    person_key,
    lower({{ trimmed("case jsonb_typeof(category) when 'array' then category ->> 0 else category #>> '{}' end") }})
        as newsletter_code,
    -- Providers that cannot tell say nothing.
    coalesce(is_machine_open, false) and {{ concept('newsletter_event', 'event_type') }} = 'open' as is_machine_open,
    to_timestamp(occurred_epoch) as occurred_at,
    {{ local_date('to_timestamp(occurred_epoch)') }} as occurred_on
from latest
