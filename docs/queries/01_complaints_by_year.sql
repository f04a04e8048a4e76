-- Question: How have complaints and commendations developed from year to year?
-- Look at: only complete years are compared; received_change_pct is relative, in percent.
-- Columns: fiscal_year, kind, received, received_year_before, received_change_pct
select period as fiscal_year, kind, received, received_year_before, received_change_pct
from marts.kpi_feedback
where period_basis = 'fiscal_year' and level = 'kind' and kind in ('complaint', 'commendation') and is_complete
order by period, kind;
