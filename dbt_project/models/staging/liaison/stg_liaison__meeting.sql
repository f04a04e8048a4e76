with latest as (
    {{ liaison_rows('meeting', [trimmed('record.meeting_no')]) }}
)

select
    {{ trimmed('meeting_no') }} as meeting_no,
    lower({{ trimmed('group_code') }}) as group_code,
    raw.typed_date(held_on) as held_on,
    {{ trimmed('venue') }} as venue,
    {{ concept('chair_office', 'chair_office') }} as chair_office
from latest
