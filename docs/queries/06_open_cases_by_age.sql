-- Question: How many cases are open tonight, and how old are they?
-- Look at: withdrawn and merged cases are not open; a reopened case is, from its first receipt.
-- Columns: kind, open_cases, up_to_10_days, up_to_30_days, older, oldest_days
select
    feedback.kind,
    count(*) as open_cases,
    count(*) filter (where night.business_date - feedback.received_on <= 10) as up_to_10_days,
    count(*) filter (where night.business_date - feedback.received_on between 11 and 30) as up_to_30_days,
    count(*) filter (where night.business_date - feedback.received_on > 30) as older,
    max(night.business_date - feedback.received_on) as oldest_days
from core.fct_feedback_case as feedback
cross join core.as_of as night
where feedback.is_counted and feedback.closed_at is null and feedback.status is distinct from 'withdrawn'
group by feedback.kind
order by feedback.kind;
