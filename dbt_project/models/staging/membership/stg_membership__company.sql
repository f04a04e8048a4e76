with latest as (
    {{ latest_version('membership', 'company', [trimmed('company_id')]) }}
)

select
    _key as company_id,
    normalize({{ trimmed('company_name') }}, nfc) as company_name,
    {{ stated(trimmed('industry_code')) }} as industry_code,
    -- Typed in full width now and then.
    {{ code('size_band', 'normalize(size_band, nfkc)') }} as size_band,
    {{ district_code('district_code') }} as district_code,
    {{ trimmed('account_manager_id') }} as account_manager_id,
    registered_on
from latest
