-- Both ways, and the same version of it.
{%- set changed = is_tested('event_id', changed_keys('feedback__case_event', 'bigint')) %}
select coalesce(staged.event_id, fact.event_id) as event_id
from (select event_id, _load_id from {{ ref('stg_feedback__case_event') }} where {{ changed }}) as staged
full join (select event_id, _load_id from {{ ref('fct_feedback_event') }} where {{ changed }}) as fact
    on staged.event_id = fact.event_id
where staged._load_id is distinct from fact._load_id
