with latest as (
    {{ liaison_rows('improvement', [trimmed('record.change_no')]) }}
)

select
    {{ trimmed('change_no') }} as change_no,
    {{ code('issue', 'issue_code') }} as issue_code,
    {{ code('service', 'service_code') }} as service_code,
    {{ trimmed('title') }} as title,
    raw.typed_date(changed_on) as changed_on,
    {{ concept('change_origin', 'origin_kind') }} as origin_kind,
    {{ trimmed('origin_no') }} as origin_no
from latest
