select
    meeting.meeting_no,
    meeting.group_code,
    meeting.held_on,
    meeting.venue,
    meeting.chair_office,
    meeting.chair_office = 'postmaster general' as chaired_by_postmaster_general,
    meeting.held_on <= night.business_date as is_held,
    meeting.meeting_no in (select meeting_no from {{ ref('stg_liaison__attendance') }}) as has_roll
from {{ ref('stg_liaison__meeting') }} as meeting
inner join {{ ref('dim_liaison_group') }} as liaison_group on meeting.group_code = liaison_group.group_code
cross join {{ ref('as_of') }} as night
where meeting.held_on is not null
