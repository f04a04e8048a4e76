-- Question: Is overall satisfaction changing from survey to survey, or is it noise?
-- Look at: is_change_significant; where period_basis_before differs, a calendar year is compared with a fiscal one.
-- Columns: wave_code, valid_answers, satisfied_pct, low_pct, high_pct, change_pp, is_change_significant
select
    wave_code,
    valid_answers,
    round(100 * top_box_share, 1) as satisfied_pct,
    round(100 * top_box_low, 1) as low_pct,
    round(100 * top_box_high, 1) as high_pct,
    round(top_box_change_pp, 1) as change_pp,
    is_change_significant
from marts.kpi_satisfaction
where question_code = 'overall'
order by period_end;
