-- Question: Do we acknowledge and answer complaints within the targets, quarter by quarter?
-- Look at: a case counts in the quarter in which it fell due, so the last quarter lacks those not due yet.
-- Columns: fiscal_quarter, acknowledgement_due, acknowledgement_within_target_share, first_reply_due, first_reply_within_target_share, substantive_reply_due, substantive_reply_within_target_share
select
    period as fiscal_quarter,
    acknowledgement_due,
    acknowledgement_within_target_share,
    first_reply_due,
    first_reply_within_target_share,
    substantive_reply_due,
    substantive_reply_within_target_share
from marts.kpi_feedback
where period_basis = 'fiscal_quarter' and level = 'kind' and kind = 'complaint' and acknowledgement_due > 0
order by period;
