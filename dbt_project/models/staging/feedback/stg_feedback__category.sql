with latest as (
    {{ latest_version('feedback', 'category', [trimmed('category_code')]) }}
)

select
    _key as category_code,
    {{ code('kind') }} as kind,
    {{ code('issue_code') }} as issue_code,
    {{ trimmed('name_en') }} as name_en,
    normalize({{ trimmed('name_zh') }}, nfc) as name_zh
from latest
