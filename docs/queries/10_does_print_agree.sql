-- Question: Do the figures that we printed still agree with the warehouse?
-- Look at: an empty computed means that the warehouse has no such period; about, over and below are how the report put it.
-- Columns: fiscal_year, kpi, comparator, published, computed, agrees
select fiscal_year, kpi, comparator, published, round(computed, 1) as computed, agrees
from marts.published_vs_computed
order by agrees nulls first, fiscal_year, kpi;
