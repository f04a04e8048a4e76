-- A name is looked up among the members of its own workbook and group, in both spellings.
with spelling as (
    select
        member.delivery_id,
        member.group_code,
        member.member_no,
        spelled.name_key
    from {{ ref('stg_liaison__member') }} as member
    cross join lateral (values (member.name_key), (member.alias_key)) as spelled (name_key)
    where spelled.name_key is not null
),

answer as (
    select
        roll.meeting_no,
        spelling.member_no,
        bool_or(roll.attendance = 'present') as is_present,
        bool_or(roll.attendance = 'apologies') as has_apologies
    from {{ ref('stg_liaison__attendance') }} as roll
    inner join {{ ref('fct_liaison_meeting') }} as meeting on roll.meeting_no = meeting.meeting_no
    inner join spelling
        on
            roll.delivery_id = spelling.delivery_id
            and meeting.group_code = spelling.group_code
            and roll.name_key = spelling.name_key
    group by 1, 2
),

-- Terms may touch or overlap: a member has one seat.
seat as (
    select distinct
        meeting.meeting_no,
        meeting.group_code,
        meeting.held_on,
        member.member_no,
        member.constituency
    from {{ ref('fct_liaison_meeting') }} as meeting
    inner join {{ ref('dim_liaison_member') }} as member
        on
            meeting.group_code = member.group_code
            and meeting.held_on between member.term_from and coalesce(member.term_to, 'infinity')
    where meeting.is_held and meeting.has_roll
)

select
    seat.meeting_no,
    seat.member_no,
    seat.group_code,
    seat.constituency,
    seat.held_on,
    coalesce(answer.is_present, false) as is_attended,
    coalesce(answer.has_apologies and not answer.is_present, false) as sent_apologies
from seat
left join answer on seat.meeting_no = answer.meeting_no and seat.member_no = answer.member_no
