-- A group is not crossed with a constituency: it has a few seats of each, and most cells would be too small to publish.
{%- set of_member = "values ('all', 'all'), (group_code, 'all'), ('all', coalesce(constituency, 'not_stated'))" -%}
{%- set of_group = "values ('all'), (group_code)" %}

with history as (
    -- The workbooks are kept by calendar year: that of the first meeting is told whole.
    select
        date_trunc('year', min(meeting.held_on))::date as first_day,
        night.business_date,
        night.is_overtaken
    from {{ ref('fct_liaison_meeting') }} as meeting
    cross join {{ ref('as_of') }} as night
    group by 2, 3
),

period as (
    select
        period.period_basis,
        period.period,
        period.period_start,
        period.period_end,
        least(period.period_end, history.business_date) as as_of_date,
        period.period_start >= history.first_day and period.period_end <= history.business_date
        and history.is_overtaken is not true as is_complete
    from {{ ref('dim_period') }} as period
    inner join history
        on period.period_end >= history.first_day and period.period_start <= history.business_date
),

liaison_group as (
    select
        period.period_basis,
        period.period,
        cell.group_code,
        count(*) filter (
            where liaison_group.founded_on <= period.as_of_date
            and period.as_of_date <= coalesce(liaison_group.wound_up_on, 'infinity')
        ) as liaison_groups
    from period
    inner join {{ ref('dim_liaison_group') }} as liaison_group
        on
            period.as_of_date >= liaison_group.founded_on
            and period.period_start <= coalesce(liaison_group.wound_up_on, 'infinity')
    cross join lateral ({{ of_group }}) as cell (group_code)
    group by 1, 2, 3
),

member as (
    select
        period.period_basis,
        period.period,
        cell.group_code,
        cell.constituency,
        count(distinct member.member_no) as members
    from period
    inner join {{ ref('dim_liaison_member') }} as member
        on period.as_of_date between member.term_from and coalesce(member.term_to, 'infinity')
    cross join lateral ({{ of_member }}) as cell (group_code, constituency)
    group by 1, 2, 3, 4
),

seat as (
    select
        period.period_basis,
        period.period,
        cell.group_code,
        cell.constituency,
        count(*) as seats_due,
        count(*) filter (where seat.is_attended) as seats_attended,
        count(distinct seat.member_no) as seated_members
    from period
    inner join {{ ref('fct_liaison_attendance') }} as seat
        on seat.held_on between period.period_start and period.as_of_date
    cross join lateral ({{ of_member }}) as cell (group_code, constituency)
    group by 1, 2, 3, 4
),

meeting as (
    select
        period.period_basis,
        period.period,
        cell.group_code,
        count(*) as meetings,
        count(*) filter (where meeting.has_roll) as meetings_with_roll,
        count(*) filter (where meeting.chaired_by_postmaster_general) as meetings_chaired_by_postmaster_general
    from period
    inner join {{ ref('fct_liaison_meeting') }} as meeting
        on meeting.held_on between period.period_start and period.as_of_date
    cross join lateral ({{ of_group }}) as cell (group_code)
    group by 1, 2, 3
),

topic as (
    select
        period.period_basis,
        period.period,
        cell.group_code,
        count(*) as topics
    from period
    inner join {{ ref('fct_liaison_topic') }} as topic
        on topic.held_on between period.period_start and period.as_of_date
    cross join lateral ({{ of_group }}) as cell (group_code)
    group by 1, 2, 3
),

action as (
    select
        period.period_basis,
        period.period,
        cell.group_code,
        count(*) filter (where action.raised_on >= period.period_start) as actions_raised,
        count(*) filter (where action.done_on between period.period_start and period.as_of_date) as actions_done,
        count(*) filter (
            where action.due_on < period.as_of_date and coalesce(action.done_on, 'infinity') > period.as_of_date
        ) as actions_overdue,
        sum(action.days_to_done) filter (
            where action.done_on between period.period_start and period.as_of_date
        ) as days_to_done_sum,
        percentile_cont(0.5) within group (order by action.days_to_done) filter (
            where action.done_on between period.period_start and period.as_of_date
        ) as days_to_done_median
    from period
    inner join {{ ref('fct_liaison_action') }} as action on period.as_of_date >= action.raised_on
    cross join lateral ({{ of_group }}) as cell (group_code)
    group by 1, 2, 3
),

-- A group that is wound up may still have an action to do.
cell as (
    {%- for source, constituency in [
        ('liaison_group', "'all'"), ('meeting', "'all'"), ('action', "'all'"),
        ('member', 'constituency'), ('seat', 'constituency')
    ] %}
    select
        period_basis,
        period,
        group_code,
        {{ constituency }} as constituency
    from {{ source }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

counted as (
    select
        period.*,
        cell.group_code,
        cell.constituency,
        case
            when cell.group_code <> 'all' then 'group'
            when cell.constituency <> 'all' then 'constituency'
            else 'all'
        end as dimension,
        coalesce(member.members, 0) as members,
        coalesce(seat.seats_due, 0) as seats_due,
        coalesce(seat.seats_attended, 0) as seats_attended,
        coalesce(seat.seated_members, 0) as seated_members
    from cell
    inner join period on cell.period_basis = period.period_basis and cell.period = period.period
    left join member
        on
            cell.period_basis = member.period_basis and cell.period = member.period
            and cell.group_code = member.group_code and cell.constituency = member.constituency
    left join seat
        on
            cell.period_basis = seat.period_basis and cell.period = seat.period
            and cell.group_code = seat.group_code and cell.constituency = seat.constituency
),

-- Nobody is told by a cell of nobody: in a month without a meeting no seat is due.
hidden as (
    select
        *,
        dimension <> 'all' and (
            members > 0
            and ({{ is_small_cell('members', 'period_basis, period, dimension', 'group_code, constituency') }})
            or seated_members > 0
            and ({{ is_small_cell('seated_members', 'period_basis, period, dimension', 'group_code, constituency') }})
        ) as is_suppressed
    from counted
)

select
    hidden.period_basis,
    hidden.period,
    hidden.period_start,
    hidden.period_end,
    hidden.as_of_date,
    hidden.is_complete,
    hidden.group_code,
    hidden.constituency,
    hidden.is_suppressed,
    case when hidden.constituency = 'all' then coalesce(liaison_group.liaison_groups, 0) end::integer as liaison_groups,
    case when not hidden.is_suppressed then hidden.members end::integer as members,
    case when not hidden.is_suppressed then hidden.seats_due end::integer as seats_due,
    case when not hidden.is_suppressed then hidden.seats_attended end::integer as seats_attended,
    case when not hidden.is_suppressed then {{ share('hidden.seats_attended', 'hidden.seats_due') }} end
        as attendance_share
    {%- for source, counts in [
        ('meeting', ['meetings', 'meetings_with_roll', 'meetings_chaired_by_postmaster_general']), ('topic', ['topics']),
        ('action', ['actions_raised', 'actions_done', 'actions_overdue'])
    ] %}
    {%- for count in counts %},
    case when hidden.constituency = 'all' then coalesce({{ source }}.{{ count }}, 0) end::integer as {{ count }}
    {%- endfor %}
    {%- endfor %},
    case when hidden.constituency = 'all' then coalesce(action.days_to_done_sum, 0) end as days_to_done_sum,
    case when hidden.constituency = 'all' then {{ share('action.days_to_done_sum', 'action.actions_done') }} end
        as days_to_done_average,
    case when hidden.constituency = 'all' then {{ percentile_of_days('action.days_to_done_median') }} end
        as days_to_done_median
from hidden
{%- for source in ['liaison_group', 'meeting', 'topic', 'action'] %}
left join {{ source }}
    on
        hidden.period_basis = {{ source }}.period_basis and hidden.period = {{ source }}.period
        and hidden.group_code = {{ source }}.group_code
{%- endfor %}
