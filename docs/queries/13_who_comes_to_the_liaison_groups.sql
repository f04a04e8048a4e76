-- Question: Do the members of the liaison groups come, and is what they ask for done in time?
-- Look at: attendance by constituency over whole calendar years; a row of a constituency has no meetings or actions of its own.
-- Columns: calendar_year, constituency, members, attendance_pct, meetings, topics, actions_raised, actions_done, actions_overdue, days_to_done_median
select
    period as calendar_year,
    constituency,
    members,
    round(100 * attendance_share, 1) as attendance_pct,
    meetings,
    topics,
    actions_raised,
    actions_done,
    actions_overdue,
    days_to_done_median
from marts.kpi_liaison
where period_basis = 'calendar_year' and group_code = 'all'
order by period, constituency = 'all' desc, constituency;
