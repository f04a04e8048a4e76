-- Question: Do we acknowledge and answer complaints within the targets, quarter by quarter?
-- Look at: a case counts in the quarter in which it fell due, so the last quarter lacks those not due yet; denominator is the cases due.
-- Columns: fiscal_quarter, name_en, denominator, value, target, is_on_target
select period as fiscal_quarter, name_en, denominator, value, target, is_on_target
from marts.kpi_scorecard
where area = 'feedback' and kpi like '%_within_target_share' and period_basis = 'fiscal_quarter' and denominator > 0
order by period, sort_order;
