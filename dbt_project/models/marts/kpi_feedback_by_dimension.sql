{%- set milestones = ['acknowledgement', 'first_reply', 'substantive_reply'] -%}
{%- set counts = feedback_counts() -%}

with by_month as (
    select
        date_trunc('month', movement.moved_on)::date as month_start,
        coalesce(feedback.kind, 'not_stated') as kind,
        feature.dimension,
        feature.dimension_value
        {%- for count in counts %},
        count(*) filter (where movement.measure = '{{ count }}') as {{ count }}
        {%- endfor %}
    from {{ ref('fct_feedback_movement') }} as movement
    inner join {{ ref('fct_feedback_case') }} as feedback on movement.case_no = feedback.case_no
    left join {{ ref('dim_customer') }} as customer on feedback.company_id = customer.company_id
    cross join {{ ref('as_of') }} as night
    cross join lateral (
        {{ feedback_dimensions('feedback', ['channel', 'district', 'post_office', 'language', 'segment']) }}
    ) as feature (dimension, dimension_value)
    where
        feedback.is_counted
        and feedback.received_on <= night.business_date
        and movement.moved_on <= night.business_date
    group by date_trunc('month', movement.moved_on)::date, coalesce(feedback.kind, 'not_stated'), feature.dimension,
        feature.dimension_value
),

counted as (
    select
        period.*,
        by_month.kind,
        by_month.dimension,
        by_month.dimension_value
        {%- for count in counts %},
        sum(by_month.{{ count }})::integer as {{ count }}
        {%- endfor %}
    from by_month
    inner join {{ ref('dim_feedback_period') }} as period
        on by_month.month_start between period.period_start and period.period_end
    group by period.period_basis, period.period, period.period_start, period.period_end, period.as_of_date,
        period.is_complete, period.fiscal_year, period.period_compared, by_month.kind, by_month.dimension,
        by_month.dimension_value
),

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
            and now.dimension = before.dimension
            and now.dimension_value = before.dimension_value
)

select
    period_basis,
    period,
    period_start,
    period_end,
    is_complete,
    kind,
    dimension,
    dimension_value
    {%- for count in counts %},
    {{ count }}
    {%- endfor %},
    {{ share('received_reopened', 'received') }} as reopened_share,
    {{ share('found_substantiated + found_partly', 'found_substantiated + found_partly + found_unsubstantiated') }}
        as substantiated_share
    {%- for milestone in milestones %},
    {{ share(milestone ~ '_within_target', milestone ~ '_due') }} as {{ milestone }}_within_target_share
    {%- endfor %},
    received_year_before,
    {{ change_pct('received', 'received_year_before') }} as received_change_pct,
    {{ ratio_change_pct('received', 'received_year_before', '-') }} as received_change_low_pct,
    {{ ratio_change_pct('received', 'received_year_before', '+') }} as received_change_high_pct,
    {{ is_ratio_significant('received', 'received_year_before') }} as is_change_significant
from compared
