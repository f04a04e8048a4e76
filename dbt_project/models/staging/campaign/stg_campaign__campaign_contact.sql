with latest as (
    {{ latest_version('campaign', 'campaign_contact', [trimmed('campaign_contact_id')]) }}
)

select
    {{ trimmed('campaign_contact_id') }} as campaign_contact_id,
    {{ trimmed('campaign_id') }} as campaign_id,
    {{ trimmed('company_id') }} as company_id,
    person_key,
    has_consent,
    contacted_on
from latest
