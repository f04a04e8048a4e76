-- Not the latest row only: the roll of a meeting is read by the names of its own workbook.
with latest as (
    {{ liaison_rows('member', [trimmed('record.member_no'), 'record.delivery_id']) }}
)

select
    {{ trimmed('member_no') }} as member_no,
    delivery_id,
    delivered_at,
    lower({{ trimmed('group_code') }}) as group_code,
    {{ concept('constituency', 'constituency') }} as constituency,
    {{ district_code('district_code') }} as district_code,
    name_key,
    alias_key
from latest
