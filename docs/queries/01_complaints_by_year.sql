-- Question: How have complaints and commendations developed from year to year?
-- Look at: only complete years are compared; change is relative, in percent, and may be noise unless is_change_significant.
-- Columns: fiscal_year, name_en, value, value_before, change, is_change_significant
select fiscal_year, name_en, value, value_before, change, is_change_significant
from marts.kpi_scorecard
where kpi in ('complaints', 'commendations') and period_basis = 'fiscal_year' and is_complete
order by fiscal_year, sort_order;
