-- A window that begins with a month covers whole months, so both marts count the same complaints in it.
with month as (
    select
        period_start,
        period_end,
        sum(received) as received
    from {{ ref('kpi_feedback') }}
    where period_basis = 'month' and level = 'kind' and kind in ({{ codes_of('kind', 'complaint') }})
    group by 1, 2
)

select
    loop.change_no,
    loop.window_months
from {{ ref('kpi_feedback_loop') }} as loop
left join month on loop.before_start <= month.period_start and loop.after_end >= month.period_end
where loop.is_covered and extract(day from loop.changed_on) = 1
group by 1, 2
having
    coalesce(sum(month.received), 0)
    <> min(
        loop.complaints_before + loop.complaints_after + loop.other_complaints_before + loop.other_complaints_after
    )
