{{ config(
    materialized='incremental',
    pre_hook=[
        "{{ forget_changed('(period_basis, period)', changed_periods()) }}",
        "set local enable_nestloop = off; set local enable_mergejoin = off",
    ]
) }}
{#- The hook: PostgreSQL knows nothing of what the query makes on its way, so all of it is joined by hash. #}
{%- set dimensions = ['all', 'service', 'issue', 'channel', 'district', 'post_office', 'language'] %}
{#- A month of one post office has no more than a handful of cases, of which a percentile says nothing. #}
{%- set dimensions_by_month = ['all', 'service', 'channel'] %}

-- A slot is one step in one period. Slots and cells are numbered: millions of rows are counted by numbers far faster than by texts.
with slot as materialized (
    select
        period.*,
        milestone.milestone,
        milestone.milestone_number,
        (row_number() over ())::integer as slot_number
    from ({{ periods_made_anew() }}) as period
    cross join unnest(array['acknowledgement', 'first_reply', 'substantive_reply', 'closing']) with ordinality
        as milestone (milestone, milestone_number)
    -- Where nobody knows all that fell due nothing is told of it.
    where coalesce(milestone.milestone <> all(string_to_array(period.pledges_unknown, ', ')), true)
),

-- A slot is made of units, one step in one month. A dimension that is not told by month has units of a quarter, numbered as its first month.
unit as materialized (
    select
        slot.slot_number,
        slot.period_basis,
        ((extract(year from month) * 12 + extract(month from month) - 1) * 4 + slot.milestone_number)::integer as unit_number
    from slot
    cross join generate_series(slot.period_start, slot.period_end, interval '1 month') as month
),

-- A step counts on the day it fell due; closing, which is promised by no day, when it was done.
due as materialized (
    select
        step.case_no,
        ((day.year_number * 12 + day.month_number - 1) * 4 + milestone.milestone_number)::integer as month_unit,
        ((day.year_number * 12 + (day.month_number - 1) / 3 * 3) * 4 + milestone.milestone_number)::integer as quarter_unit,
        case when step.met_on <= night.business_date then step.calendar_days end as calendar_days,
        case when step.met_on <= night.business_date then step.working_days end as working_days
    from {{ ref('fct_feedback_milestone') }} as step
    inner join (select distinct milestone, milestone_number from slot) as milestone on step.milestone = milestone.milestone
    cross join {{ ref('as_of') }} as night
    inner join {{ ref('dim_date') }} as day
        on case when step.milestone = 'closing' then step.met_on else step.due_on end = day.date_day
    where
        day.date_day <= night.business_date
        and (
            step.milestone = 'closing' and {{ is_changed('step.met_on', changed_days()) }}
            or step.milestone <> 'closing' and {{ is_changed('step.due_on', changed_days()) }}
        )
),

feedback as materialized (
    select
        feedback.case_no,
        coalesce(feedback.kind, 'not_stated') as kind
        {%- for dimension in dimensions %},
        {{ feedback_dimension('feedback', dimension) }} as {{ dimension }}_value
        {%- endfor %}
    from {{ ref('fct_feedback_case') }} as feedback
    where
        feedback.is_counted
        and feedback.received_on <= (select business_date from {{ ref('as_of') }})
        and feedback.case_no in (select case_no from due)
),

cell as materialized (
    select
        feedback.kind,
        feature.dimension,
        feature.dimension_value,
        (row_number() over ())::integer as cell_number
    from feedback
    cross join lateral (
        values
        {%- for dimension in dimensions %}
        ('{{ dimension }}', feedback.{{ dimension }}_value){{ ',' if not loop.last }}
        {%- endfor %}
    ) as feature (dimension, dimension_value)
    group by 1, 2, 3
),

-- Joined from the left, though each has its cell: thus no cell is joined with another first.
numbered as materialized (
    select
        feedback.case_no
        {%- for dimension in dimensions %},
        {{ dimension }}_cell.cell_number as {{ dimension }}_cell
        {%- endfor %}
    from feedback
    {%- for dimension in dimensions %}
    left join cell as {{ dimension }}_cell
        on
            {{ dimension }}_cell.dimension = '{{ dimension }}'
            and feedback.kind = {{ dimension }}_cell.kind
            and feedback.{{ dimension }}_value = {{ dimension }}_cell.dimension_value
    {%- endfor %}
),

step as materialized (
    select
        {%- for dimension in dimensions %}
        numbered.{{ dimension }}_cell,
        {%- endfor %}
        due.month_unit,
        due.quarter_unit,
        due.calendar_days,
        due.working_days
    from due
    inner join numbered on due.case_no = numbered.case_no
),

-- Percentiles do not roll up, so they are taken anew for every cell of every slot, from how many cases took how many days.
-- One dimension after the other, so that no more than one is in memory.
timed as (
    select timed.*
    from (
        values
        {%- for dimension in dimensions %}
        ('{{ dimension }}', {{ dimension in dimensions_by_month }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as feature (dimension, is_by_month)
    cross join lateral (
        with counted as (
            select
                case feature.dimension
                    {%- for dimension in dimensions %}
                    when '{{ dimension }}' then {{ dimension }}_cell
                    {%- endfor %}
                end as cell_number,
                case when feature.is_by_month then month_unit else quarter_unit end as unit_number,
                calendar_days,
                working_days,
                count(*) as cases
            from step
            group by 1, 2, 3, 4
        ),

        spread as (
            select
                counted.cell_number,
                unit.slot_number,
                counted.calendar_days,
                counted.working_days,
                sum(counted.cases)::integer as cases
            from counted
            inner join unit on counted.unit_number = unit.unit_number
            where feature.is_by_month or unit.period_basis <> 'month'
            group by 1, 2, 3, 4
        ),

        ranked as (
            select
                *,
                {%- for days in ['calendar_days', 'working_days'] %}
                sum(cases) filter (where {{ days }} is not null) over (slot_of_cell order by {{ days }}) as {{ days }}_rank,
                sum(cases) filter (where {{ days }} is not null) over slot_of_cell as {{ days }}_cases{{ ',' if not loop.last }}
                {%- endfor %}
            from spread
            window slot_of_cell as (partition by cell_number, slot_number)
        )

        select
            cell_number,
            slot_number,
            sum(cases) as cases
            {%- for days in ['calendar_days', 'working_days'] %},
            coalesce(max({{ days }}_cases), 0) as {{ days }}_cases,
            sum(cases * {{ days }}::bigint)::bigint as {{ days }}_sum,
            {{ percentile_of_ranks(days, 0.5) }} as {{ days }}_median,
            {{ percentile_of_ranks(days, 0.9) }} as {{ days }}_p90
            {%- endfor %}
        from ranked
        group by cell_number, slot_number
    ) as timed
),

-- Cases whose working days are known would not speak for all, where others' are not.
told as (
    select
        *,
        working_days_cases = calendar_days_cases as is_working_told
    from timed
)

select
    slot.period_basis,
    slot.period,
    slot.period_start,
    slot.period_end,
    slot.is_complete,
    cell.kind,
    cell.dimension,
    cell.dimension_value,
    slot.milestone,
    told.cases::integer as cases,
    told.calendar_days_cases::integer as measured_cases,
    told.calendar_days_sum,
    {{ share('told.calendar_days_sum', 'told.calendar_days_cases') }} as calendar_days_average,
    {{ percentile_of_days('told.calendar_days_median') }} as calendar_days_median,
    {{ percentile_of_days('told.calendar_days_p90') }} as calendar_days_p90,
    told.working_days_cases::integer as working_measured_cases,
    case when told.is_working_told then told.working_days_sum end as working_days_sum,
    case when told.is_working_told then {{ share('told.working_days_sum', 'told.working_days_cases') }} end as working_days_average,
    case when told.is_working_told then {{ percentile_of_days('told.working_days_median') }} end as working_days_median,
    case when told.is_working_told then {{ percentile_of_days('told.working_days_p90') }} end as working_days_p90
from told
inner join slot on told.slot_number = slot.slot_number
inner join cell on told.cell_number = cell.cell_number
