select *
from {{ ref('kpi_feedback') }}
where
    acknowledgement_within_target > acknowledgement_due
    or first_reply_within_target > first_reply_due
    or substantive_reply_within_target > substantive_reply_due
