-- Both ways: none is lost on the way, and none stays that staging no longer knows.
select coalesce(staged.campaign_response_id, fact.campaign_response_id) as id
from {{ ref('stg_campaign__campaign_response') }} as staged
full join {{ ref('fct_campaign_response') }} as fact on staged.campaign_response_id = fact.campaign_response_id
where staged.campaign_response_id is null or fact.campaign_response_id is null
union all
select coalesce(staged.interaction_id, fact.interaction_id) as id
from {{ ref('stg_campaign__interaction') }} as staged
full join {{ ref('fct_interaction') }} as fact on staged.interaction_id = fact.interaction_id
where staged.interaction_id is null or fact.interaction_id is null
