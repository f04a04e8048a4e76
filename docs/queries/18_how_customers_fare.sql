-- Question: How did customers fare in the last complete month, area by area?
-- Look at: a change is one only where is_change_significant; an empty one has nothing to compare with.
-- Columns: area, name_en, period, value, value_low, value_high, change, change_kind, is_change_significant, target, is_on_target
select
    area,
    name_en,
    period,
    value,
    value_low,
    value_high,
    change,
    change_kind,
    is_change_significant,
    target,
    is_on_target
from marts.kpi_scorecard
where period_basis = 'month' and is_latest
order by sort_order;
