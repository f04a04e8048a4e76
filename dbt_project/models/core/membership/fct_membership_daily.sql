with club as (
    select code as club_code
    from {{ ref('code_list') }}
    where list = 'club'
    union
    select counts_as
    from {{ ref('code_list') }}
    where list = 'club' and counts_as is not null
),

day as (
    select day.date_day
    from {{ ref('dim_date') }} as day
    cross join {{ ref('as_of') }} as night
    where day.date_day between '{{ var("history_start") }}' and night.business_date
),

flow as (
    select
        event_on,
        club_code,
        count(*) filter (where event_type = 'join') as joins,
        count(*) filter (where event_type = 'rejoin') as rejoins,
        count(*) filter (where event_type = 'leave') as leaves
    from {{ ref('fct_membership_event') }}
    group by 1, 2
),

opening as (
    select
        club_code,
        sum(joins + rejoins - leaves) as members
    from flow
    where event_on < '{{ var("history_start") }}'
    group by 1
)

select
    day.date_day,
    club.club_code,
    (
        coalesce(opening.members, 0)
        + sum(coalesce(flow.joins + flow.rejoins - flow.leaves, 0)) over (
            partition by club.club_code order by day.date_day
        )
    )::integer as members,
    coalesce(flow.joins, 0)::integer as joins,
    coalesce(flow.rejoins, 0)::integer as rejoins,
    coalesce(flow.leaves, 0)::integer as leaves
from day
cross join club
left join opening on club.club_code = opening.club_code
left join flow on day.date_day = flow.event_on and club.club_code = flow.club_code
-- A club without members has 0; where no membership is known at all, nobody knows how many there are.
where exists (select 1 from {{ ref('fct_membership_event') }})
