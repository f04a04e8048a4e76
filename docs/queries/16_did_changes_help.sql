-- Question: Were the service changes that feedback led to followed by fewer complaints, and fewer than the trend?
-- Look at: rate_ratio 0.60 is 40 % fewer a day; believe it only beside other_rate_ratio, and where is_unlike_others. An association, not a cause.
-- Columns: issue_code, change_no, changed_on, window_months, complaints_before, complaints_after, rate_ratio, low, high, is_significant, other_rate_ratio, is_unlike_others, overlapping_changes
select
    issue_code,
    change_no,
    changed_on,
    window_months,
    complaints_before,
    complaints_after,
    round(rate_ratio, 2) as rate_ratio,
    round(rate_ratio_low, 2) as low,
    round(rate_ratio_high, 2) as high,
    is_significant,
    round(other_rate_ratio, 2) as other_rate_ratio,
    is_unlike_others,
    overlapping_changes
from marts.kpi_feedback_loop
where is_covered
order by issue_code, changed_on, change_no, window_months;
