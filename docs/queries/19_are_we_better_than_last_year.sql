-- Question: How does the year so far compare with the same months of the year before?
-- Look at: months that are over; change is in percent or points, as change_kind says, with its interval.
-- Columns: name_en, name_zh, period, value, period_compared, value_before, change, change_low, change_high, is_change_significant
select
    name_en,
    name_zh,
    period,
    value,
    period_compared,
    value_before,
    change,
    change_low,
    change_high,
    is_change_significant
from marts.kpi_scorecard
where period_basis = 'fiscal_year_to_date' and is_latest
order by sort_order;
