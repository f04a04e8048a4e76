-- A year to March is the fiscal year, twelve months to December are the calendar year: months make what the mart says.
select
    one.kpi,
    one.period_basis,
    one.period
from {{ ref('kpi_scorecard') }} as one
inner join {{ ref('kpi_scorecard') }} as other
    on
        one.kpi = other.kpi
        and one.period_start = other.period_start
        and one.period_end = other.period_end
        and one.period_basis <> other.period_basis
where
    one.is_complete and other.is_complete
    and (one.value, one.numerator, one.denominator, one.value_low, one.value_high)
    is distinct from (other.value, other.numerator, other.denominator, other.value_low, other.value_high)
