{{ config(materialized='incremental', pre_hook="{{ forget_changed('(period_basis, period)', changed_periods()) }}") }}

-- Cells, periods and steps are numbered: millions of rows sort by one number far faster than by six texts.
with period as materialized (
    select
        *,
        (row_number() over (order by period_basis, period))::integer as period_number
    from ({{ periods_made_anew() }}) as made_anew
),

milestone as (
    select
        milestone,
        milestone_number
    from (
        values ('acknowledgement', 1), ('first_reply', 2), ('substantive_reply', 3), ('closing', 4)
    ) as milestone (milestone, milestone_number)
),

-- A step counts in the period in which it fell due; closing, which is promised by no day, in the one it was done.
step as materialized (
    select
        step.case_no,
        milestone.milestone_number,
        period.period_number,
        period.period_basis,
        case when step.met_on <= night.business_date then step.calendar_days end as calendar_days,
        case when step.met_on <= night.business_date then step.working_days end as working_days
    from {{ ref('fct_feedback_milestone') }} as step
    inner join milestone on step.milestone = milestone.milestone
    cross join {{ ref('as_of') }} as night
    inner join period
        on
            case when step.milestone = 'closing' then step.met_on else step.due_on end
            between period.period_start and period.as_of_date
            -- Where nobody knows all that fell due nothing is told of it.
            and coalesce(step.milestone <> all(string_to_array(period.pledges_unknown, ', ')), true)
    where
        step.milestone = 'closing' and {{ is_changed('step.met_on', changed_days()) }}
        or step.milestone <> 'closing' and {{ is_changed('step.due_on', changed_days()) }}
),

case_cell as materialized (
    select
        feedback.case_no,
        coalesce(feedback.kind, 'not_stated') as kind,
        feature.dimension,
        feature.dimension_value
    from (
        select *
        from {{ ref('fct_feedback_case') }}
        where case_no in (select case_no from step)
    ) as feedback
    cross join lateral (
        {{ feedback_dimensions('feedback', [
            'all', 'service', 'issue', 'channel', 'district', 'post_office', 'language'
        ]) }}
    ) as feature (dimension, dimension_value)
    where feedback.is_counted and feedback.received_on <= (select business_date from {{ ref('as_of') }})
),

cell as materialized (
    select
        kind,
        dimension,
        dimension_value,
        (row_number() over (order by kind, dimension, dimension_value))::integer as cell_number
    from case_cell
    group by 1, 2, 3
),

numbered as materialized (
    select
        case_cell.case_no,
        cell.dimension,
        cell.cell_number
    from case_cell
    inner join cell
        on
            case_cell.kind = cell.kind
            and case_cell.dimension = cell.dimension
            and case_cell.dimension_value = cell.dimension_value
),

-- Percentiles do not roll up, so they are taken anew for every cell of every period; a month of one post office has no
-- more than a handful of cases, of which a percentile says nothing. Nor would those cases speak for all whose working
-- days alone are known.
timed as (
    select
        step.period_number,
        step.milestone_number,
        cell.cell_number,
        count(*) as cases,
        count(step.calendar_days) as measured_cases,
        sum(step.calendar_days) as calendar_days_sum,
        percentile_cont(array[0.5, 0.9]) within group (order by step.calendar_days) as calendar_days,
        count(step.working_days) as working_measured_cases,
        case
            when count(step.working_days) = count(step.calendar_days) then sum(step.working_days)
        end as working_days_sum,
        case
            when count(step.working_days) = count(step.calendar_days)
                then percentile_cont(array[0.5, 0.9]) within group (order by step.working_days)
        end as working_days
    from step
    inner join numbered as cell on step.case_no = cell.case_no
    where step.period_basis <> 'month' or cell.dimension in ('all', 'service', 'channel')
    group by 1, 2, 3
)

select
    period.period_basis,
    period.period,
    period.period_start,
    period.period_end,
    period.is_complete,
    cell.kind,
    cell.dimension,
    cell.dimension_value,
    milestone.milestone,
    timed.cases::integer as cases,
    timed.measured_cases::integer as measured_cases,
    timed.calendar_days_sum,
    {{ share('timed.calendar_days_sum', 'timed.measured_cases') }} as calendar_days_average,
    {{ percentile_of_days('timed.calendar_days[1]') }} as calendar_days_median,
    {{ percentile_of_days('timed.calendar_days[2]') }} as calendar_days_p90,
    timed.working_measured_cases::integer as working_measured_cases,
    timed.working_days_sum,
    {{ share('timed.working_days_sum', 'timed.working_measured_cases') }} as working_days_average,
    {{ percentile_of_days('timed.working_days[1]') }} as working_days_median,
    {{ percentile_of_days('timed.working_days[2]') }} as working_days_p90
from timed
inner join period on timed.period_number = period.period_number
inner join cell on timed.cell_number = cell.cell_number
inner join milestone on timed.milestone_number = milestone.milestone_number
