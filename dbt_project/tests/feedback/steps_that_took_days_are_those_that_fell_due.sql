-- Both are kept by difference, each by itself: what fell due or was closed in a quarter took some time, known or not, in every dimension.
with taken as (
    select
        date_trunc('quarter', unit_start)::date as quarter_start,
        dimension,
        milestone,
        sum(number) as cases
    from {{ ref('fct_feedback_days') }}
    cross join lateral unnest(cases) as cell (number)
    group by 1, 2, 3
),

counted as (
    select
        date_trunc('quarter', month.month_start)::date as quarter_start,
        dimension.dimension,
        step.milestone,
        sum(step.cases) as cases
    from {{ ref('fct_feedback_month') }} as month
    cross join lateral (
        values
            ('acknowledgement', month.acknowledgement_due), ('first_reply', month.first_reply_due),
            ('substantive_reply', month.substantive_reply_due), ('closing', month.closed)
    ) as step (milestone, cases)
    cross join (select distinct dimension from taken) as dimension
    where month.dimension = 'all'
    group by 1, 2, 3
)

select
    quarter_start,
    dimension,
    milestone,
    taken.cases as cases_taken,
    counted.cases as cases_counted
from taken
full join counted using (quarter_start, dimension, milestone)
where coalesce(taken.cases, 0) <> coalesce(counted.cases, 0)
