with latest as (
    {{ latest_version('campaign', 'interaction', [trimmed('interaction_id')]) }}
)

select
    {{ trimmed('interaction_id') }} as interaction_id,
    {{ trimmed('company_id') }} as company_id,
    {{ trimmed('staff_id') }} as staff_id,
    {{ concept('interaction_channel', 'channel') }} as channel,
    {{ concept('interaction_direction', 'direction') }} as direction,
    {{ local_date('interacted_at') }} as interacted_on
from latest
