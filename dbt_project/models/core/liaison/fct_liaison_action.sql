select
    action.action_no,
    action.meeting_no,
    meeting.group_code,
    action.title,
    action.raised_on,
    action.due_on,
    action.done_on,
    action.done_on - action.raised_on as days_to_done
from {{ ref('stg_liaison__action') }} as action
inner join {{ ref('fct_liaison_meeting') }} as meeting on action.meeting_no = meeting.meeting_no
where action.raised_on <= coalesce(action.done_on, 'infinity')
