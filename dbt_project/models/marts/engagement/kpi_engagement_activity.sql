{%- set people = ['registrations', 'registrations_checked', 'attended', 'walk_ins'] -%}

with activity as (
    select
        activity.activity_id,
        activity.kind,
        activity.held_on,
        activity.seats,
        count(registration.registration_id) between 1 and 4 as is_small,
        count(*) filter (where not registration.is_walk_in) as registrations,
        count(*) filter (where not registration.is_walk_in and registration.attended is not null)
            as registrations_checked,
        count(*) filter (where registration.attended) as attended,
        count(*) filter (where registration.is_walk_in and registration.attended) as walk_ins
    from {{ ref('dim_activity') }} as activity
    left join {{ ref('fct_activity_registration') }} as registration
        on activity.activity_id = registration.activity_id
    cross join {{ ref('as_of') }} as night
    where activity.held_on <= night.business_date
    group by activity.activity_id, activity.kind, activity.held_on, activity.seats
),

-- An activity of so few people is in no sum, so that no difference tells them. Seats of all, or none: part of them
-- would be no denominator.
counted as (
    select
        period.period_basis,
        period.period,
        period.period_start,
        period.period_end,
        period.is_complete,
        activity.kind,
        count(*) as activities,
        count(*) filter (where activity.is_small) as small_activities,
        case
            when count(*) = count(*) filter (where activity.is_small or activity.seats is not null)
                then sum(activity.seats) filter (where not activity.is_small)
        end as seats,
        bool_or(not activity.is_small and activity.registrations > 0 and activity.registrations_checked = 0)
            as lacks_a_list
        {%- for count in people %},
        sum(activity.{{ count }}) filter (where not activity.is_small) as {{ count }}
        {%- endfor %}
    from ({{ period_of_fact(ref('dim_activity'), 'held_on') }}) as period
    inner join activity on activity.held_on between period.period_start and period.period_end
    group by period.period_basis, period.period, period.period_start, period.period_end, period.is_complete,
        activity.kind
)

select
    period_basis,
    period,
    period_start,
    period_end,
    is_complete,
    kind,
    activities::integer as activities,
    small_activities::integer as small_activities,
    seats::integer as seats
    {%- for count in people %},
    {{ count }}::integer as {{ count }}
    {%- endfor %},
    {{ share('registrations', 'seats') }} as seats_registered_share,
    {{ share('attended - walk_ins', 'registrations_checked') }} as turned_up_share,
    -- A list that is not in yet is not an empty room.
    case when not lacks_a_list then {{ share('attended', 'seats') }} end as seats_attended_share
from counted
