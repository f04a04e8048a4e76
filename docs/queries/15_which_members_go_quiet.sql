-- Question: How close are we to our members, and which segments grew since the year before?
-- Look at: dormant and never are members nobody heard of in twelve months.
-- Columns: as_of_on, segment_code, members, share_pct, with_open_cases, complained, tenure_years_average
select
    mart.as_of_on,
    mart.segment_code,
    count(*) as members,
    round(100.0 * count(*) / sum(count(*)) over (partition by mart.as_of_on), 1) as share_pct,
    count(*) filter (where mart.open_cases > 0) as with_open_cases,
    count(*) filter (where mart.complaints_12_months > 0) as complained,
    round(avg(mart.tenure_days) / 365.25, 1) as tenure_years_average
from accounts.customer_360 as mart
inner join core.contact_segment as segment on mart.segment_code = segment.segment_code
where mart.is_member
group by mart.as_of_on, mart.segment_code, segment.sort_order
order by mart.as_of_on desc, segment.sort_order;
