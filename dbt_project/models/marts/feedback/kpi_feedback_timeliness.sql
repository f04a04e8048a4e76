{{ config(
    materialized='incremental',
    pre_hook=[
        "{{ forget_changed('(period_basis, period)', changed_periods()) }}",
        "set local enable_nestloop = off; set local enable_mergejoin = off",
    ]
) }}
{#- The hook: PostgreSQL knows nothing of what the query makes on its way, so all of it is joined by hash. #}

-- A slot is one step in one period. Slots and cells are numbered: rows are counted by numbers far faster than by texts.
with slot as materialized (
    select
        period.*,
        milestone.milestone,
        (row_number() over ())::integer as slot_number
    from ({{ periods_made_anew() }}) as period
    cross join (
        values ('acknowledgement'), ('first_reply'), ('substantive_reply'), ('closing')
    ) as milestone (milestone)
    -- Where nobody knows all that fell due nothing is told of it.
    where coalesce(milestone.milestone <> all(string_to_array(period.pledges_unknown, ', ')), true)
),

-- A slot is made of months; of a dimension not told by month, of quarters, which begin as their first month does.
unit as materialized (
    select
        slot.slot_number,
        slot.period_basis,
        slot.milestone,
        month::date as unit_start
    from slot
    cross join generate_series(slot.period_start, slot.period_end, interval '1 month') as month
),

counted as materialized (
    select
        unit_start,
        dimension,
        dimension_value,
        kind,
        milestone,
        unnest(calendar_days) as calendar_days,
        unnest(working_days) as working_days,
        unnest(cases) as cases
    from {{ ref('fct_feedback_days') }}
    where {{ is_changed('unit_start', 'select distinct unit_start from unit') }}
),

cell as materialized (
    select
        kind,
        dimension,
        dimension_value,
        (row_number() over ())::integer as cell_number
    from counted
    group by kind, dimension, dimension_value
),

-- Percentiles do not roll up, so they are taken anew for every cell of every slot, from how many cases took how many
-- days.
-- One dimension after the other, so that no more than one is in memory.
timed as (
    select timed.*
    from (
        select
            dimension,
            dimension in (
                {%- for by_month in timed_by_month() %}
                '{{ by_month }}'{{ ',' if not loop.last }}
                {%- endfor %}
            ) as is_by_month
        from cell
        group by dimension
    ) as feature
    cross join lateral (
        with spread as (
            select
                cell.cell_number,
                unit.slot_number,
                counted.calendar_days,
                counted.working_days,
                sum(counted.cases)::integer as cases
            from counted
            inner join cell
                on
                    counted.kind = cell.kind
                    and counted.dimension = cell.dimension
                    and counted.dimension_value = cell.dimension_value
            inner join unit on counted.unit_start = unit.unit_start and counted.milestone = unit.milestone
            where counted.dimension = feature.dimension and (feature.is_by_month or unit.period_basis <> 'month')
            group by cell.cell_number, unit.slot_number, counted.calendar_days, counted.working_days
        ),

        ranked as (
            select
                *,
                {%- for days in ['calendar_days', 'working_days'] %}
                sum(cases) filter (where {{ days }} is not null) over (slot_of_cell order by {{ days }})
                    as {{ days }}_rank,
                sum(cases) filter (where {{ days }} is not null) over slot_of_cell
                    as {{ days }}_cases{{ ',' if not loop.last }}
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
    case when told.is_working_told then {{ share('told.working_days_sum', 'told.working_days_cases') }} end
        as working_days_average,
    case when told.is_working_told then {{ percentile_of_days('told.working_days_median') }} end as working_days_median,
    case when told.is_working_told then {{ percentile_of_days('told.working_days_p90') }} end as working_days_p90
from told
inner join slot on told.slot_number = slot.slot_number
inner join cell on told.cell_number = cell.cell_number
