{%- set milestones = ['acknowledgement', 'first_reply', 'substantive_reply'] -%}
{%- set counts = [
    'received', 'received_anonymous', 'received_withdrawn', 'received_reopened', 'closed',
    'found_substantiated', 'found_partly', 'found_unsubstantiated',
    'acknowledgement_due', 'acknowledgement_within_target', 'first_reply_due', 'first_reply_within_target',
    'substantive_reply_due', 'substantive_reply_within_target',
] -%}

with night as (
    select business_date from {{ ref('as_of') }}
),

feedback as (
    select
        coalesce(feedback.kind, 'not_stated') as kind,
        coalesce(feedback.service_code, 'not_stated') as service_code,
        coalesce(feedback.issue_code, 'not_stated') as issue_code,
        feedback.is_anonymous,
        feedback.status,
        feedback.outcome,
        feedback.reopened_count,
        feedback.received_on,
        feedback.acknowledged_on,
        feedback.first_reply_on,
        feedback.replied_on,
        feedback.closed_on
    from {{ ref('fct_feedback_case') }} as feedback
    cross join night
    where feedback.is_counted and feedback.received_on <= night.business_date
),

-- The day by which a milestone was promised. A case withdrawn before anything was said is no longer due.
due as (
    select
        feedback.kind,
        feedback.service_code,
        feedback.issue_code,
        target.milestone,
        case target.day_basis
            when 'calendar' then feedback.received_on + target.limit_days
            when 'working' then due_day.date_day
        end as due_on,
        case target.milestone
            when 'acknowledgement' then feedback.acknowledged_on
            when 'first_reply' then feedback.first_reply_on
            when 'substantive_reply' then feedback.replied_on
        end as met_on
    from feedback
    cross join {{ ref('service_target') }} as target
    left join {{ ref('dim_date') }} as received_day
        on target.day_basis = 'working' and feedback.received_on = received_day.date_day
    left join {{ ref('dim_date') }} as due_day
        on
            due_day.is_working_day
            and due_day.working_day_number = received_day.working_day_number + target.limit_days
    where feedback.status is distinct from 'withdrawn'
),

-- What each case adds to the counts of which day.
movement as (
    select feedback.kind, feedback.service_code, feedback.issue_code, added.measure, added.moved_on
    from feedback
    cross join lateral (
        values
            ('received', received_on, true),
            ('received_anonymous', received_on, is_anonymous),
            ('received_withdrawn', received_on, status = 'withdrawn'),
            ('received_reopened', received_on, reopened_count > 0),
            ('found_substantiated', received_on, outcome = 'substantiated'),
            ('found_partly', received_on, outcome = 'partly'),
            ('found_unsubstantiated', received_on, outcome = 'unsubstantiated'),
            ('closed', closed_on, true)
    ) as added (measure, moved_on, counts)
    where added.counts
    union all
    select kind, service_code, issue_code, milestone || '_due', due_on
    from due
    union all
    select kind, service_code, issue_code, milestone || '_within_target', due_on
    from due
    where met_on <= due_on
),

-- Counts add up, so months are counted once and every other period is made of months. Roll-up rows say 'all'.
by_month as (
    select
        date_trunc('month', movement.moved_on)::date as month_start,
        movement.kind,
        case when grouping(movement.service_code) = 1 then 'all' else movement.service_code end as service_code,
        case when grouping(movement.issue_code) = 1 then 'all' else movement.issue_code end as issue_code
        {%- for count in counts %},
        count(*) filter (where movement.measure = '{{ count }}') as {{ count }}
        {%- endfor %}
    from movement
    cross join night
    where movement.moved_on <= night.business_date
    group by grouping sets (
        (1, movement.kind),
        (1, movement.kind, movement.service_code),
        (1, movement.kind, movement.service_code, movement.issue_code)
    )
),

period as (
    select
        period.*,
        period.period_start >= history.month_start and period.period_end <= night.business_date as is_complete
    from {{ ref('dim_period') }} as period
    cross join night
    cross join (select date_trunc('month', min(received_on))::date as month_start from feedback) as history
    where period.period_end >= history.month_start and period.period_start <= night.business_date
),

-- A kind of which nothing came in a period has a row that says 0.
cell as (
    select kind.kind, 'all' as service_code, 'all' as issue_code, period.*
    from period
    cross join (
        values ('commendation'), ('complaint'), ('suggestion'), ('enquiry'), ('lost_mail_claim')
        union
        select kind from feedback
    ) as kind (kind)
    union
    select by_month.kind, by_month.service_code, by_month.issue_code, period.*
    from by_month
    inner join period on by_month.month_start between period.period_start and period.period_end
),

counted as (
    select
        cell.*
        {%- for count in counts %},
        coalesce(sum(by_month.{{ count }}), 0)::integer as {{ count }}
        {%- endfor %}
    from cell
    left join by_month
        on
            cell.kind = by_month.kind
            and cell.service_code = by_month.service_code
            and cell.issue_code = by_month.issue_code
            and by_month.month_start between cell.period_start and cell.period_end
    group by cell.kind, cell.service_code, cell.issue_code, cell.period_basis, cell.period, cell.period_start,
        cell.period_end, cell.fiscal_year, cell.period_year_before, cell.is_complete
)

select
    now.period_basis,
    now.period,
    now.period_start,
    now.period_end,
    now.is_complete,
    now.kind,
    case when now.service_code = 'all' then 'kind' when now.issue_code = 'all' then 'service' else 'issue' end as level,
    now.service_code,
    now.issue_code
    {%- for count in counts %},
    now.{{ count }}
    {%- endfor %},
    {{ share('now.received_reopened', 'now.received') }} as reopened_share,
    {{ share('now.found_substantiated + now.found_partly',
             'now.found_substantiated + now.found_partly + now.found_unsubstantiated') }} as substantiated_share
    {%- for milestone in milestones %},
    {{ share('now.' ~ milestone ~ '_within_target', 'now.' ~ milestone ~ '_due') }}
        as {{ milestone }}_within_target_share
    {%- endfor %},
    before.received as received_year_before,
    {{ change_pct('now.received', 'before.received') }} as received_change_pct,
    mail.items as mail_items,
    {{ share('1000000::numeric * now.received', 'mail.items') }} as received_per_million_items,
    complaint.received as complaints,
    {{ share('now.received', 'complaint.received') }} as commendations_per_complaint
from counted as now
-- A change is told only between two whole periods.
left join counted as before
    on
        now.is_complete and before.is_complete
        and now.period_basis = before.period_basis
        and now.period_year_before = before.period
        and now.kind = before.kind
        and now.service_code = before.service_code
        and now.issue_code = before.issue_code
left join {{ ref('mail_volume') }} as mail
    on now.period_basis = 'fiscal_year' and now.is_complete and now.period = mail.fiscal_year
left join counted as complaint
    on
        now.kind = 'commendation' and complaint.kind = 'complaint'
        and now.period_basis = complaint.period_basis
        and now.period = complaint.period
        and now.service_code = complaint.service_code
        and now.issue_code = 'all' and complaint.issue_code = 'all'
