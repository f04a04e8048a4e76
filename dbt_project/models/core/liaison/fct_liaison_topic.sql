select
    topic.topic_no,
    topic.meeting_no,
    meeting.group_code,
    meeting.held_on,
    topic.title,
    issue.issue_code
from {{ ref('stg_liaison__topic') }} as topic
inner join {{ ref('fct_liaison_meeting') }} as meeting on topic.meeting_no = meeting.meeting_no
left join {{ ref('dim_issue') }} as issue on topic.issue_code = issue.issue_code
