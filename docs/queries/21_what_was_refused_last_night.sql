-- Question: Which sources are fresh, and what waits in quarantine?
-- Look at: age in days since a table was last loaded; rows_waiting by rule and by days since they were refused.
-- Columns: source, table_name, measure, detail, age_band, value, unit
select
    source,
    table_name,
    measure,
    detail,
    age_band,
    value,
    unit
from marts.data_health
where is_latest and measure in ('age', 'rows_waiting', 'rows_published')
order by measure, source, table_name, detail, age_band;
