-- Question: Which services and issues drew the most complaints in the last full fiscal year?
-- Look at: small numbers: a rise from 2 to 4 is noise, whatever its percentage.
-- Columns: service_code, issue_code, received, received_year_before, more
select service_code, issue_code, received, received_year_before, received - received_year_before as more
from marts.kpi_feedback
where period_basis = 'fiscal_year' and is_latest and level = 'issue' and kind = 'complaint'
order by received desc, service_code, issue_code
limit 20;
