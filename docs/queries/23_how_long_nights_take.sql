-- Question: How long do the nights take, and how many rows do the sources hold against the warehouse?
-- Look at: night_duration in seconds, from the first load to the publication, of which duration tells the stages; rows_found_late were read by no night before.
-- Columns: night, measure, source, table_name, value, unit
select night, measure, source, table_name, value, unit
from marts.data_health
where measure in ('night_duration', 'duration', 'rows_at_source', 'rows_in_raw', 'rows_vanished', 'rows_found_late')
order by night desc, measure, source, table_name;
