with latest as (
    {{ liaison_rows('action', [trimmed('record.action_no')]) }}
)

select
    {{ trimmed('action_no') }} as action_no,
    {{ trimmed('meeting_no') }} as meeting_no,
    {{ trimmed('title') }} as title,
    raw.typed_date(raised_on) as raised_on,
    raw.typed_date(due_on) as due_on,
    raw.typed_date(done_on) as done_on
from latest
