{%- set counts = ['registrations', 'people_registered', 'people_checked', 'people_attended', 'people_walked_in'] -%}

-- Of one person's registrations for an activity one alone may say that the person came.
with person as (
    select
        activity_id,
        person_key,
        count(*) filter (where not is_walk_in) as registrations,
        bool_or(not is_walk_in) as is_registered,
        count(attended) > 0 as is_checked,
        coalesce(bool_or(attended), false) as came
    from {{ ref('fct_activity_registration') }}
    group by activity_id, person_key
),

activity as (
    select
        activity.activity_id,
        activity.kind,
        activity.held_on,
        activity.seats,
        count(person.person_key) between 1 and 4 as is_small,
        coalesce(sum(person.registrations), 0) as registrations,
        count(*) filter (where person.is_registered) as people_registered,
        count(*) filter (where person.is_registered and person.is_checked) as people_checked,
        count(*) filter (where person.came) as people_attended,
        count(*) filter (where person.came and not person.is_registered) as people_walked_in
    from {{ ref('dim_activity') }} as activity
    left join person on activity.activity_id = person.activity_id
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
        count(*) filter (where not activity.is_small and activity.people_registered > 0) as lists_expected,
        count(*) filter (where not activity.is_small and activity.people_checked > 0) as lists_there
        {%- for count in counts %},
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
    lists_expected::integer as lists_expected,
    lists_there::integer as lists_there,
    seats::integer as seats
    {%- for count in counts %},
    {{ count }}::integer as {{ count }}
    {%- endfor %},
    {{ share('people_registered', 'seats') }} as seats_registered_share,
    {{ share('people_attended - people_walked_in', 'people_checked') }} as turned_up_share,
    -- A list that is not in yet is not an empty room.
    case when lists_there = lists_expected then {{ share('people_attended', 'seats') }} end as seats_attended_share
from counted
