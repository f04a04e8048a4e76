select
    kpi,
    period_basis
from {{ ref('kpi_scorecard') }}
group by kpi, period_basis
having
    count(*) filter (where is_latest) <> least(1, count(*) filter (where is_complete))
    or max(period_end) filter (where is_latest) < max(period_end) filter (where is_complete)
