{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed('(period_basis, period)', changed_periods('has_changed_backlog')) }}"
) }}

with period as materialized (
    {{ periods_made_anew('has_changed_backlog') }}
),

-- What ended before the first of the days needs no look, which the index of the spells' ends tells.
open_spell as materialized (
    select
        case_no,
        open_from,
        spell_number,
        coalesce(open_to, 'infinity') as open_to
    from {{ ref('fct_feedback_open_spell') }}
    where coalesce(open_to, 'infinity') > (select min(as_of_date) from period)
),

open_case as (
    select
        feedback.case_no,
        coalesce(feedback.kind, 'not_stated') as kind,
        feedback.received_on,
        spell.open_from,
        spell.spell_number,
        spell.open_to
    from open_spell as spell
    inner join {{ ref('fct_feedback_case') }} as feedback on spell.case_no = feedback.case_no
    where feedback.is_counted and {{ is_changed('feedback.case_no', 'select case_no from open_spell') }}
),

band as (
    select *
    from (
        values ('all', 0, null), ('0-10', 0, 10), ('11-30', 11, 30), ('31-90', 31, 90), ('over 90', 91, null)
    ) as band (age_band, from_days, to_days)
),

-- A day is looked at once, however many periods end on it.
counted as (
    select
        day.as_of_date,
        open_case.kind,
        band.age_band,
        count(*) as open_cases,
        count(*) filter (where open_case.spell_number > 1) as reopened_cases,
        sum(day.as_of_date - open_case.received_on) as age_days_sum,
        max(day.as_of_date - open_case.received_on) as oldest_age_days
    from (select distinct as_of_date from period) as day
    inner join open_case on day.as_of_date >= open_case.open_from and day.as_of_date < open_case.open_to
    inner join band
        on
            day.as_of_date - open_case.received_on >= band.from_days
            and (band.to_days is null or day.as_of_date - open_case.received_on <= band.to_days)
    group by 1, 2, 3
),

-- Cases without a kind have rows where there are any.
cell as (
    select
        period.*,
        kind.kind
    from period
    cross join {{ feedback_kinds() }} as kind (kind)
    union
    select
        period.*,
        counted.kind
    from period
    inner join counted on period.as_of_date = counted.as_of_date
)

select
    cell.period_basis,
    cell.period,
    cell.period_start,
    cell.period_end,
    cell.as_of_date,
    cell.is_complete,
    cell.kind,
    band.age_band,
    coalesce(counted.open_cases, 0)::integer as open_cases,
    coalesce(counted.reopened_cases, 0)::integer as reopened_cases,
    coalesce(counted.age_days_sum, 0)::integer as age_days_sum,
    {{ share('counted.age_days_sum', 'counted.open_cases') }} as age_days_average,
    counted.oldest_age_days
from cell
cross join band
left join counted
    on cell.as_of_date = counted.as_of_date and cell.kind = counted.kind and band.age_band = counted.age_band
