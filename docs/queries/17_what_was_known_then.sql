-- Question: Which of last year's figures have changed since they were reported?
-- Look at: known_then is what readers saw at the end of 2013-03-31; received_later came or was amended after that.
-- Columns: fiscal_year, kind, known_then, known_now, received_later
select
    period as fiscal_year,
    kind,
    known.received as known_then,
    mart.received as known_now,
    mart.received - known.received as received_later
from marts.kpi_feedback as mart
inner join as_of.kpi_feedback('2013-03-31') as known using (period_basis, period, kind, level, service_code, issue_code)
where mart.period_basis = 'fiscal_year' and mart.level = 'kind' and mart.kind in ('complaint', 'commendation')
order by fiscal_year, kind;
