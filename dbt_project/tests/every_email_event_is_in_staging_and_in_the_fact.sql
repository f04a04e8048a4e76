-- Both ways, and the same version of it.
select coalesce(staged.event_id, fact.event_id) as event_id
from {{ ref('stg_engagement__email_event') }} as staged
full join {{ ref('fct_email_event') }} as fact on staged.event_id = fact.event_id
where staged._load_id is distinct from fact._load_id
