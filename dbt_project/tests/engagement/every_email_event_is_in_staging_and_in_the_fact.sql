-- Both ways: none is lost or doubled on the way to the fact, whomever the CRM knows the recipient as.
select coalesce(staged.event_id, fact.event_id) as event_id
from {{ ref('stg_engagement__email_event') }} as staged
full join {{ ref('fct_email_event') }} as fact on staged.event_id = fact.event_id
where staged.event_id is null or fact.event_id is null
