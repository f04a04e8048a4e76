select
    newsletter_code,
    min(occurred_on) filter (where event_type in ('delivered', 'bounce')) as sent_on,
    max(occurred_on) filter (where event_type in ('delivered', 'bounce')) as last_sent_on
from {{ ref('fct_email_event') }}
group by newsletter_code
