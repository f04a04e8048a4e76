with latest as (
    {{ latest_version('feedback', 'cases', [trimmed('case_no')], tie_break='updated_at desc, case_id desc') }}
)

select
    _key as case_no,
    {{ trimmed('category_code') }} as category_code,
    {{ code('service', 'service_code') }} as service_code,
    {{ code('channel', 'channel_code') }} as channel_code,
    received_at,
    {{ local_date('received_at') }} as received_on,
    closed_at,
    {{ concept('case_status', 'status') }} as status,
    {{ concept('outcome', 'outcome') }} as outcome,
    {{ trimmed('incident_date_text') }} as incident_date_text,
    {{ trimmed('post_office_code') }} as post_office_code,
    {{ district_code('district_code') }} as district_code,
    {{ trimmed('company_id') }} as company_id,
    person_key,
    {{ code('language', 'language') }} as language,
    is_anonymous,
    updated_at,
    _load_id
from latest
