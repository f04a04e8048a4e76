-- The backlog is the open cases of companies and those of nobody known, on the days of which the night told it anew.
{%- set changed_days = 'select as_of_date from ' ~ ref('changed_feedback_period') ~ ' where has_changed_backlog' %}
with of_companies as (
    select
        as_of_on,
        sum(open_cases) as open_cases
    from {{ ref('customer_360') }}
    where {{ is_tested('as_of_on', changed_days) }}
    group by 1
),

of_nobody as (
    select
        day.as_of_on,
        count(*) as open_cases
    from of_companies as day
    inner join {{ ref('fct_feedback_open_spell') }} as spell
        on day.as_of_on >= spell.open_from and day.as_of_on < coalesce(spell.open_to, 'infinity')
    inner join {{ ref('fct_feedback_case') }} as feedback on spell.case_no = feedback.case_no
    where
        feedback.is_counted and feedback.company_id is null
        and coalesce(spell.open_to, 'infinity') > (select min(as_of_on) from of_companies)
    group by 1
),

backlog as (
    select
        as_of_date,
        sum(open_cases) as open_cases
    from {{ ref('kpi_feedback_backlog') }}
    where period_basis = 'fiscal_year' and age_band = 'all'
    group by 1
)

select
    backlog.as_of_date,
    backlog.open_cases,
    of_companies.open_cases as open_cases_of_companies
from backlog
inner join of_companies on backlog.as_of_date = of_companies.as_of_on
left join of_nobody on backlog.as_of_date = of_nobody.as_of_on
where backlog.open_cases <> of_companies.open_cases + coalesce(of_nobody.open_cases, 0)
