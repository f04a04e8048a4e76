select
    campaign_id,
    campaign_name,
    kind_code,
    channel_code,
    starts_on,
    ends_on
from {{ ref('stg_campaign__campaign') }}
