with latest as (
    {{ latest_version('campaign', 'campaign', [trimmed('campaign_id')]) }}
)

select
    {{ trimmed('campaign_id') }} as campaign_id,
    {{ trimmed('campaign_name') }} as campaign_name,
    {{ code('campaign_kind', 'kind_code') }} as kind_code,
    {{ code('campaign_channel', 'channel_code') }} as channel_code,
    starts_on,
    ends_on
from latest
