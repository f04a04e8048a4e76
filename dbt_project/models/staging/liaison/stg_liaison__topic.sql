with latest as (
    {{ liaison_rows('topic', [trimmed('record.topic_no')]) }}
)

select
    {{ trimmed('topic_no') }} as topic_no,
    {{ trimmed('meeting_no') }} as meeting_no,
    {{ trimmed('title') }} as title,
    {{ code('issue', 'issue_code') }} as issue_code
from latest
