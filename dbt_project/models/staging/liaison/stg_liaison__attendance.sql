with latest as (
    {{ liaison_rows('attendance', [trimmed('record.meeting_no'), 'record.name_key']) }}
)

select
    {{ trimmed('meeting_no') }} as meeting_no,
    delivery_id,
    name_key,
    {{ concept('attendance', 'attendance') }} as attendance
from latest
