-- Question: Do the clubs grow, and how many members leave?
-- Look at: clubs do not add up to any: a company may be in both.
-- Columns: fiscal_year, club_code, members_at_start, joins, rejoins, leaves, members, churn_share
select period as fiscal_year, club_code, members_at_start, joins, rejoins, leaves, members, churn_share
from marts.kpi_membership
where period_basis = 'fiscal_year'
order by period, club_code;
