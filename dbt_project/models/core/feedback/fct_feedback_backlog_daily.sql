{{ config(materialized='view') }}

with turn as (
    select
        coalesce(feedback.kind, 'not_stated') as kind,
        step.turned_on,
        sum(step.opened) as opened
    from {{ ref('fct_feedback_open_spell') }} as spell
    inner join {{ ref('fct_feedback_case') }} as feedback on spell.case_no = feedback.case_no
    cross join lateral (values (spell.open_from, 1), (spell.open_to, -1)) as step (turned_on, opened)
    where feedback.is_counted
    group by 1, 2
),

kind as (
    select distinct kind from turn
),

backlog as (
    select
        day.date_day,
        kind.kind,
        (sum(coalesce(turn.opened, 0)) over (partition by kind.kind order by day.date_day))::integer as open_cases
    from {{ ref('dim_feedback_period') }} as period
    inner join {{ ref('dim_date') }} as day
        on period.period_basis = 'month' and day.date_day between period.period_start and period.as_of_date
    cross join kind
    left join turn on day.date_day = turn.turned_on and kind.kind = turn.kind
)

-- Cases without a kind have rows where there are any, as in kpi_feedback_backlog.
select *
from backlog
where kind <> 'not_stated' or open_cases > 0
