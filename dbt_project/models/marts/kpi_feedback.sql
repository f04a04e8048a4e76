{%- set milestones = ['acknowledgement', 'first_reply', 'substantive_reply'] -%}
{%- set counts = feedback_counts() -%}

-- Counts add up, so months are counted once and every other period is made of months. Roll-up rows say 'all'.
with by_month as (
    select
        date_trunc('month', movement.moved_on)::date as month_start,
        coalesce(feedback.kind, 'not_stated') as kind,
        case
            when grouping(coalesce(feedback.service_code, 'not_stated')) = 1 then 'all'
            else coalesce(feedback.service_code, 'not_stated')
        end as service_code,
        case
            when grouping(coalesce(feedback.issue_code, 'not_stated')) = 1 then 'all'
            else coalesce(feedback.issue_code, 'not_stated')
        end as issue_code
        {%- for count in counts %},
        count(*) filter (where movement.measure = '{{ count }}') as {{ count }}
        {%- endfor %}
    from {{ ref('fct_feedback_movement') }} as movement
    inner join {{ ref('fct_feedback_case') }} as feedback on movement.case_no = feedback.case_no
    cross join {{ ref('as_of') }} as night
    where
        feedback.is_counted
        and feedback.received_on <= night.business_date
        and movement.moved_on <= night.business_date
    group by grouping sets (
        (1, coalesce(feedback.kind, 'not_stated')),
        (1, coalesce(feedback.kind, 'not_stated'), coalesce(feedback.service_code, 'not_stated')),
        (
            1, coalesce(feedback.kind, 'not_stated'), coalesce(feedback.service_code, 'not_stated'),
            coalesce(feedback.issue_code, 'not_stated')
        )
    )
),

-- A kind of which nothing came to a service in a period has a row that says 0.
cell as (
    select
        kind.kind,
        service.service_code,
        'all' as issue_code,
        period.*
    from {{ ref('dim_feedback_period') }} as period
    cross join (
        values ('commendation'), ('complaint'), ('suggestion'), ('enquiry'), ('lost_mail_claim')
        union
        select kind from by_month
    ) as kind (kind)
    cross join (
        select service_code from {{ ref('dim_service') }}
        union all
        values ('all')
    ) as service
    union
    select
        by_month.kind,
        by_month.service_code,
        by_month.issue_code,
        period.*
    from by_month
    inner join {{ ref('dim_feedback_period') }} as period
        on by_month.month_start between period.period_start and period.period_end
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
        cell.period_end, cell.as_of_date, cell.is_complete, cell.fiscal_year, cell.period_compared
),

-- A change is told only between two whole periods; where nothing came in the one before, that is known to be 0.
compared as (
    select
        now.*,
        case when now.period_compared is not null then coalesce(before.received, 0) end as received_year_before
    from counted as now
    left join counted as before
        on
            now.period_basis = before.period_basis
            and now.period_compared = before.period
            and now.kind = before.kind
            and now.service_code = before.service_code
            and now.issue_code = before.issue_code
)

select
    now.period_basis,
    now.period,
    now.period_start,
    now.period_end,
    now.is_complete,
    now.kind,
    case
        when now.issue_code <> 'all' then 'issue' when now.service_code <> 'all' then 'service' else 'kind'
    end as level,
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
    now.received_year_before,
    {{ change_pct('now.received', 'now.received_year_before') }} as received_change_pct,
    {{ ratio_change_pct('now.received', 'now.received_year_before', '-') }} as received_change_low_pct,
    {{ ratio_change_pct('now.received', 'now.received_year_before', '+') }} as received_change_high_pct,
    {{ is_ratio_significant('now.received', 'now.received_year_before') }} as is_change_significant,
    mail.items as mail_items,
    {{ share('1000000::numeric * now.received', 'mail.items') }} as received_per_million_items,
    complaint.received as complaints,
    {{ share('now.received', 'complaint.received') }} as commendations_per_complaint
from compared as now
left join {{ ref('mail_volume') }} as mail
    on now.period_basis = 'fiscal_year' and now.is_complete and now.period = mail.fiscal_year
left join counted as complaint
    on
        now.kind = 'commendation' and complaint.kind = 'complaint'
        and now.period_basis = complaint.period_basis
        and now.period = complaint.period
        and now.service_code = complaint.service_code
        and now.issue_code = 'all' and complaint.issue_code = 'all'
