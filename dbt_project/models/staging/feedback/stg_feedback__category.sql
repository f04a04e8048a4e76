with latest as (
    {{ latest_version('feedback', 'category', [trimmed('category_code')]) }}
)

select
    _key as category_code,
    {{ code('kind', 'kind') }} as kind,
    {{ code('kind', 'kind', gives='counts_as') }} as kind_concept,
    {{ code('issue', 'issue_code') }} as issue_code,
    {{ trimmed('name_en') }} as name_en,
    normalize({{ trimmed('name_zh') }}, nfc) as name_zh
from latest
