with latest as (
    {{ liaison_rows('meeting', [trimmed('record.meeting_no')]) }}
),

spelled as (
    select
        *,
        replace({{ code('chair_office') }}, '-', ' ') as office
    from latest
)

select
    {{ trimmed('meeting_no') }} as meeting_no,
    {{ code('group_code') }} as group_code,
    {{ typed_date('held_on') }} as held_on,
    {{ trimmed('venue') }} as venue,
    case office
        when 'pmg' then 'postmaster general'
        when 'dpmg' then 'deputy postmaster general'
        else office
    end as chair_office
from spelled
