with latest as (
    {{ liaison_rows('term', [trimmed('record.member_no'), 'record.term_number']) }}
)

select
    {{ trimmed('member_no') }} as member_no,
    term_number,
    raw.typed_date(term_from) as term_from,
    raw.typed_date(term_to) as term_to
from latest
