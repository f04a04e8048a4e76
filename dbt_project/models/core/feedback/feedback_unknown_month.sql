{{ config(materialized='view') }}

-- What nobody knows of a month nobody knows of a period that holds it. One of all cases that are alike stands for them:
-- whoever asks for some of the cases is told, too.
with stands_for as (
    select min(case_no) as case_no
    from {{ ref('fct_feedback_case') }}
    where is_counted
    group by kind, kind_concept, service_code, issue_code, channel_code, district_code, post_office_code, language
),

month as (
    select
        period_start,
        is_complete,
        pledges_unknown
    from {{ ref('dim_feedback_period') }}
    where period_basis = 'month'
),

unknown as (
    select
        month.period_start as month_start,
        'received_year_before' as unknown_count
    from month
    left join month as before
        on month.period_start - interval '1 year' = before.period_start and before.is_complete
    where before.period_start is null
    union all
    select
        month.period_start,
        pledge.milestone
    from month
    cross join lateral unnest(string_to_array(month.pledges_unknown, ', ')) as pledge (milestone)
)

select
    stands_for.case_no,
    unknown.unknown_count,
    unknown.month_start
from unknown
cross join stands_for
