-- Question: How long does the substantive reply take, by service and fiscal year of receipt?
-- Look at: all kinds together; cases answered so far: those still open are not in it, so the last year looks too good.
-- Columns: fiscal_year, service_code, replied, median_days, p90_days
select
    calendar.fiscal_year,
    coalesce(feedback.service_code, 'not_stated') as service_code,
    count(*) as replied,
    percentile_disc(0.5) within group (order by feedback.replied_days) as median_days,
    percentile_disc(0.9) within group (order by feedback.replied_days) as p90_days
from core.fct_feedback_case as feedback
inner join core.dim_date as calendar on feedback.received_on = calendar.date_day
where feedback.is_counted and feedback.replied_days is not null
group by 1, 2
order by 1, 2;
