with history as (
    select
        greatest(min(period.period_start), '{{ var("history_start") }}') as first_day,
        night.business_date
    from {{ ref('dim_feedback_period') }} as period
    cross join {{ ref('as_of') }} as night
    where period.period_basis = 'month'
    group by night.business_date
),

span as (
    select
        change.*,
        bounds.*,
        coalesce(
            bounds.before_start >= history.first_day and bounds.after_end <= history.business_date, false
        ) as is_covered
    from {{ ref('dim_service_change') }} as change
    cross join lateral (
        select
            length.months as window_months,
            (change.changed_on - make_interval(months => length.months))::date as before_start,
            (change.changed_on + make_interval(months => length.months))::date - 1 as after_end
        from (values (3), (6), (12)) as length (months)
    ) as bounds
    left join history on true
),

counted as (
    select
        span.change_no,
        span.window_months,
        count(*) filter (where subject.is_meant and not subject.is_after) as complaints_before,
        count(*) filter (where subject.is_meant and subject.is_after) as complaints_after,
        count(*) filter (where not subject.is_meant and not subject.is_after) as other_complaints_before,
        count(*) filter (where not subject.is_meant and subject.is_after) as other_complaints_after
    from span
    inner join {{ ref('fct_feedback_case') }} as feedback
        on feedback.received_on between span.before_start and span.after_end
    cross join lateral (
        select
            coalesce(
                feedback.issue_code = span.issue_code
                and (span.service_code is null or feedback.service_code = span.service_code),
                false
            ) as is_meant,
            feedback.received_on >= span.changed_on as is_after
    ) as subject
    where span.is_covered and feedback.is_counted and feedback.kind_concept = 'complaint'
    group by span.change_no, span.window_months
),

overlap as (
    select
        span.change_no,
        span.window_months,
        count(*) as overlapping_changes
    from span
    inner join {{ ref('dim_service_change') }} as other
        on
            span.issue_code = other.issue_code
            and span.change_no <> other.change_no
            and other.changed_on between span.before_start and span.after_end
    where span.service_code is null or other.service_code is null or span.service_code = other.service_code
    group by span.change_no, span.window_months
),

{%- set counts = ['complaints_before', 'complaints_after', 'other_complaints_before', 'other_complaints_after'] %}

-- Where the window is covered and nothing came, that is known to be 0.
exposed as (
    select
        span.*,
        coalesce(overlap.overlapping_changes, 0) as overlapping_changes,
        span.changed_on - span.before_start as days_before,
        span.after_end - span.changed_on + 1 as days_after,
        {%- for count in counts %}
        case when span.is_covered then coalesce(counted.{{ count }}, 0) end as {{ count }}{{ ',' if not loop.last }}
        {%- endfor %}
    from span
    left join counted on span.change_no = counted.change_no and span.window_months = counted.window_months
    left join overlap on span.change_no = overlap.change_no and span.window_months = overlap.window_months
),

compared as (
    select
        *,
        {%- for of in ['', 'other_'] %}
        {%- set after, before = of ~ 'complaints_after', of ~ 'complaints_before' %}
        {{ rate_ratio(after, before, 'days_after', 'days_before') }} as {{ of }}rate_ratio,
        {{ rate_ratio_bound(after, before, 'days_after', 'days_before', '-') }} as {{ of }}rate_ratio_low,
        {{ rate_ratio_bound(after, before, 'days_after', 'days_before', '+') }} as {{ of }}rate_ratio_high,
        {{ share(after, before ~ ' + ' ~ after) }} as {{ of }}after_share{{ ',' if not loop.last }}
        {%- endfor %}
    from exposed
),

-- The share that came after is the odds of the ratio times that of the days, and so are its bounds.
bounded as (
    select
        *,
        {%- for of in ['', 'other_'] %}
        {{ of }}rate_ratio_low * days_after / (days_before + {{ of }}rate_ratio_low * days_after)
            as {{ of }}after_share_low,
        case
            when {{ of }}complaints_before = 0 and {{ of }}complaints_after > 0 then 1
            else {{ of }}rate_ratio_high * days_after / (days_before + {{ of }}rate_ratio_high * days_after)
        end as {{ of }}after_share_high{{ ',' if not loop.last }}
        {%- endfor %}
    from compared
),

-- Over the same days, the complaints on the issue move as the others do exactly when the same share of both came after
-- the change; the interval of the difference is defined also where a count is 0.
-- Source: R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, method 11.
told as (
    select
        *,
        after_share - other_after_share as difference,
        after_share - other_after_share - sqrt(
            (after_share - after_share_low) ^ 2 + (other_after_share_high - other_after_share) ^ 2
        ) as difference_low,
        after_share - other_after_share + sqrt(
            (after_share_high - after_share) ^ 2 + (other_after_share - other_after_share_low) ^ 2
        ) as difference_high
    from bounded
)

select
    change_no,
    window_months,
    issue_code,
    service_code,
    title,
    changed_on,
    origin_kind,
    origin_no,
    before_start,
    after_end,
    is_covered,
    overlapping_changes::integer as overlapping_changes,
    days_before,
    days_after,
    complaints_before::integer as complaints_before,
    complaints_after::integer as complaints_after,
    rate_ratio,
    rate_ratio_low,
    rate_ratio_high,
    case
        when is_covered then coalesce(rate_ratio_low > 1, false) or coalesce(rate_ratio_high < 1, false)
    end as is_significant,
    other_complaints_before::integer as other_complaints_before,
    other_complaints_after::integer as other_complaints_after,
    other_rate_ratio,
    other_rate_ratio_low,
    other_rate_ratio_high,
    {{ share('rate_ratio', 'other_rate_ratio') }} as ratio_to_others,
    {{ share('100 * complaints_after', 'complaints_before + complaints_after') }} as after_pct,
    {{ share('100 * other_complaints_after', 'other_complaints_before + other_complaints_after') }} as other_after_pct,
    {{ rate('100 * difference') }} as after_difference_pp,
    {{ rate('100 * difference_low') }} as after_difference_low_pp,
    {{ rate('100 * difference_high') }} as after_difference_high_pp,
    difference_low > 0 or difference_high < 0 as is_unlike_others
from told
