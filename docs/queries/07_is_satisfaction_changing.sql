-- Question: Is satisfaction changing from survey to survey, or is it noise?
-- Look at: is_change_significant; where period_basis_compared differs, a calendar year is compared with a fiscal one.
-- Columns: name_en, period, value, value_low, value_high, period_compared, period_basis_compared, change, is_change_significant
select
    name_en,
    period,
    value,
    value_low,
    value_high,
    period_compared,
    period_basis_compared,
    change,
    is_change_significant
from marts.kpi_scorecard
where area = 'satisfaction' and unit = 'share' and interval_method = 'wilson' and is_complete
order by sort_order, period_end;
