select
    topic.topic_no,
    topic.meeting_no,
    meeting.group_code,
    meeting.held_on,
    topic.title,
    topic.issue_code
from {{ ref('stg_liaison__topic') }} as topic
inner join {{ ref('fct_liaison_meeting') }} as meeting on topic.meeting_no = meeting.meeting_no
