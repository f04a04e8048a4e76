with counted as (
    select
        period.period_basis,
        period.period,
        period.period_start,
        period.period_end,
        period.is_complete,
        count(*) as intervals,
        sum(call.offered) as offered,
        sum(call.answered) as answered,
        sum(call.abandoned) as abandoned,
        sum(call.wait_seconds) as wait_seconds,
        sum(call.answered_within_20s) as answered_within_20s
    from ({{ period_of_fact(ref('fct_hotline_interval'), 'call_date') }}) as period
    inner join {{ ref('fct_hotline_interval') }} as call
        on call.call_date between period.period_start and period.period_end
    group by period.period_basis, period.period, period.period_start, period.period_end, period.is_complete
)

select
    period_basis,
    period,
    period_start,
    period_end,
    is_complete,
    intervals::integer as intervals,
    offered::integer as offered,
    answered::integer as answered,
    abandoned::integer as abandoned,
    wait_seconds,
    answered_within_20s::integer as answered_within_20s,
    {{ share('answered', 'offered') }} as answered_share,
    {{ share('abandoned', 'offered') }} as abandoned_share,
    {{ share('wait_seconds', 'answered') }} as average_wait_seconds,
    {{ share('answered_within_20s', 'offered') }} as answered_within_20s_share
from counted
