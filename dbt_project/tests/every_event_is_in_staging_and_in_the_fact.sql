-- Both ways, and the same version of it.
select coalesce(staged.event_id, fact.event_id) as event_id
from {{ ref('stg_feedback__case_event') }} as staged
full join {{ ref('fct_feedback_event') }} as fact on staged.event_id = fact.event_id
where staged._load_id is distinct from fact._load_id
