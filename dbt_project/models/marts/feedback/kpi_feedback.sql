{{ config(materialized='incremental', pre_hook="{{ forget_changed('(period_basis, period)', changed_periods()) }}") }}

-- Counts add up, so months are counted once and every other period is made of months. Roll-up rows say 'all'.
with by_issue as (
    select
        date_trunc('month', movement.moved_on)::date as month_start,
        coalesce(feedback.kind, 'not_stated') as kind,
        coalesce(feedback.service_code, 'not_stated') as service_code,
        coalesce(feedback.issue_code, 'not_stated') as issue_code,
        {{ feedback_count_columns() }}
    {{ counted_movements() }}
    group by
        date_trunc('month', movement.moved_on),
        coalesce(feedback.kind, 'not_stated'),
        coalesce(feedback.service_code, 'not_stated'),
        coalesce(feedback.issue_code, 'not_stated')
),

by_month as (
    select
        month_start,
        kind,
        case when grouping(service_code) = 1 then 'all' else service_code end as service_code,
        case when grouping(issue_code) = 1 then 'all' else issue_code end as issue_code
        {%- for count in feedback_counts() %},
        sum({{ count }}) as {{ count }}
        {%- endfor %}
    from by_issue
    group by grouping sets (
        (month_start, kind), (month_start, kind, service_code), (month_start, kind, service_code, issue_code)
    )
),

period as (
    {{ periods_made_anew() }}
),

-- A kind of which nothing came to a service in a period has a row that says 0; an issue, and cases without a kind,
-- have rows only where they came or had come a year before.
cell as (
    select
        kind.kind,
        service.service_code,
        'all' as issue_code,
        period.*
    from period
    cross join {{ feedback_kinds() }} as kind (kind)
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
    inner join period on by_month.month_start between period.period_start and period.period_end
),

counted as (
    select
        cell.*
        {%- for count in feedback_counts() %},
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
        cell.period_end, cell.as_of_date, cell.is_complete, cell.fiscal_year, cell.period_compared,
        cell.pledges_unknown
),

complaint as (
    select
        period_basis,
        period,
        service_code,
        sum(received)::integer as received
    from counted
    where issue_code = 'all' and kind in ({{ codes_of('kind', 'complaint') }})
    group by period_basis, period, service_code
),

compared as (
    {{ compared_with_year_before(['kind', 'service_code', 'issue_code']) }}
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
    now.issue_code,
    {{ feedback_figures() }},
    mail.items as mail_items,
    {{ share('1000000::numeric * now.received', 'mail.items') }} as received_per_million_items,
    complaint.received as complaints,
    {{ share('now.received', 'complaint.received') }} as commendations_per_complaint
from compared as now
left join {{ ref('mail_volume') }} as mail
    on now.period_basis = 'fiscal_year' and now.is_complete and now.period = mail.fiscal_year
left join complaint
    on
        now.kind in ({{ codes_of('kind', 'commendation') }})
        and now.period_basis = complaint.period_basis
        and now.period = complaint.period
        and now.service_code = complaint.service_code
        and now.issue_code = 'all'
