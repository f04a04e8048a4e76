-- Question: Which targets does the newest month miss, and by how much?
-- Look at: value_low and value_high: a share whose interval holds the target may miss it by chance.
-- Columns: name_en, name_zh, period, value, value_low, value_high, target, is_on_target
select name_en, name_zh, period, value, value_low, value_high, target, is_on_target
from marts.kpi_scorecard
where period_basis = 'month' and is_latest and target is not null
order by is_on_target, sort_order;
