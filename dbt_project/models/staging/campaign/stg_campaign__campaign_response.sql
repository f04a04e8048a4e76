with latest as (
    {{ latest_version('campaign', 'campaign_response', [trimmed('campaign_response_id')]) }}
)

select
    {{ trimmed('campaign_response_id') }} as campaign_response_id,
    {{ trimmed('campaign_id') }} as campaign_id,
    {{ trimmed('company_id') }} as company_id,
    {{ concept('response_kind', 'response_kind') }} as response_kind,
    {{ local_date('responded_at') }} as responded_on
from latest
