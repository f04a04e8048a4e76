with latest as (
    {{ latest_version('feedback', 'post_office', [trimmed('post_office_code')]) }}
)

select
    _key as post_office_code,
    {{ trimmed('name_en') }} as name_en,
    normalize({{ trimmed('name_zh') }}, nfc) as name_zh,
    {{ district_code('district_code') }} as district_code,
    opened_on,
    closed_on
from latest
