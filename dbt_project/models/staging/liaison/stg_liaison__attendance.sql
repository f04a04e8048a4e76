with latest as (
    {{ liaison_rows('attendance', [trimmed('record.meeting_no'), 'record.name_key']) }}
)

select
    {{ trimmed('meeting_no') }} as meeting_no,
    delivery_id,
    name_key,
    case
        when {{ code('attendance') }} in ('y', 'yes', '✓', 'present') then 'present'
        when {{ code('attendance') }} = 'apologies' then 'apologies'
        when {{ code('attendance') }} in ('n', 'no', 'absent') then 'absent'
    end as attendance
from latest
