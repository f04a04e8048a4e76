with latest as (
    {{ latest_version('membership', 'contact', [trimmed('contact_id')]) }}
)

select
    _key as contact_id,
    {{ trimmed('company_id') }} as company_id,
    person_key,
    {{ trimmed('role') }} as role,
    marketing_consent,
    consent_changed_at
from latest
