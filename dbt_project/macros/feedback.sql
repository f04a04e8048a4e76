{# Query of the cases whose rows the night makes anew, for is_changed, forget_changed and is_tested. #}
{% macro amended_cases() -%}
    select case_no from {{ ref('changed_case') }} where is_amended
{%- endmacro %}

{# The counts of the marts on feedback: measures of fct_feedback_movement. #}
{% macro feedback_counts() -%}
    {{ return([
        'received', 'received_anonymous', 'received_withdrawn', 'received_reopened', 'closed',
        'found_substantiated', 'found_partly', 'found_unsubstantiated',
        'acknowledgement_due', 'acknowledgement_within_target', 'first_reply_due', 'first_reply_within_target',
        'substantive_reply_due', 'substantive_reply_within_target',
    ]) }}
{%- endmacro %}

{# What the counts of a month are told by, in the marts on feedback. #}
{% macro feedback_features() -%}
    {{ return([
        'kind', 'service_code', 'issue_code', 'channel_code', 'district_code', 'post_office_code', 'language', 'outcome', 'size_band'
    ]) }}
{%- endmacro %}

{#
  What cases add to each month by the end of a day, by some of what the counts are told by. Args: features, of feedback_features; movement,
  feedback, customer: relations as fct_feedback_movement, fct_feedback_case and dim_customer; known_on: the day; which: condition on the cases
  of movement and feedback.
#}
{% macro feedback_by_month(features, movement, feedback, customer, known_on, which) -%}
    select
        date_trunc('month', movement.moved_on)::date as month_start,
        {%- for column in features %}
        coalesce({{ 'customer' if column == 'size_band' else 'feedback' }}.{{ column }}, 'not_stated') as {{ column }},
        {%- endfor %}
        count(*)::integer as movements
        {%- for count in feedback_counts() %},
        (count(*) filter (where movement.measure = '{{ count }}'))::integer as {{ count }}
        {%- endfor %}
    from {{ movement }} as movement
    inner join {{ feedback }} as feedback on movement.case_no = feedback.case_no
    {%- if 'size_band' in features %}
    left join {{ customer }} as customer on feedback.company_id = customer.company_id
    {%- endif %}
    where
        feedback.is_counted
        and feedback.received_on <= {{ known_on }}
        and movement.moved_on <= {{ known_on }}
        and {{ which }}
    group by
        date_trunc('month', movement.moved_on)::date
        {%- for column in features %},
        coalesce({{ 'customer' if column == 'size_band' else 'feedback' }}.{{ column }}, 'not_stated')
        {%- endfor %}
{%- endmacro %}

{#
  How that differs from what the last build counted: what the changed cases add tonight, less what they had added; on a build from
  nothing, all. Arg: features, as above.
#}
{% macro feedback_change_by_month(features) -%}
    {{ feedback_by_month(
        features, ref('fct_feedback_movement'), ref('fct_feedback_case'), ref('dim_customer'),
        '(select business_date from ' ~ ref('as_of') ~ ')',
        is_changed('movement.case_no', changed_cases()) ~ ' and ' ~ is_changed('feedback.case_no', changed_cases())
    ) }}
    {%- if is_incremental() %}
    union all
    select
        {{ (['month_start'] + features) | join(', ') }}
        {%- for count in ['movements'] + feedback_counts() %},
        -{{ count }}
        {%- endfor %}
    from {{ ref('changed_feedback_count') }}
    {%- endif %}
{%- endmacro %}

{# The dimensions that timeliness is told by month of. A month of one post office has a handful of cases, of which a percentile says nothing. #}
{% macro timed_by_month() -%}
    {{ return(['all', 'service', 'channel']) }}
{%- endmacro %}

{#
  The steps of cases that count by the end of a day, each with the month it counts in: when it fell due; closing, which is promised by no day,
  when it was done. Args: milestone, feedback: relations as fct_feedback_milestone and fct_feedback_case;
  known_on: the day; which: condition on the cases of step and feedback.
#}
{% macro feedback_steps(milestone, feedback, known_on, which) -%}
    {%- set counted_on = "case when step.milestone = 'closing' then step.met_on else step.due_on end" -%}
    select
        step.case_no,
        step.milestone,
        date_trunc('month', {{ counted_on }})::date as month_start,
        {%- for column in feedback_features() if column not in ('outcome', 'size_band') %}
        coalesce(feedback.{{ column }}, 'not_stated') as {{ column }},
        {%- endfor %}
        {%- for days in ['calendar_days', 'working_days'] %}
        case when step.met_on <= {{ known_on }} then step.{{ days }} end as {{ days }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ milestone }} as step
    inner join {{ feedback }} as feedback on step.case_no = feedback.case_no
    where
        feedback.is_counted
        and feedback.received_on <= {{ known_on }}
        and {{ counted_on }} <= {{ known_on }}
        and {{ which }}
{%- endmacro %}

{#
  A count of `now`; one of a pledge is null in a period of which nobody knows all that fell due. Arg: count, of feedback_counts.
#}
{% macro told_count(count) -%}
    {%- set milestone = count | replace('_within_target', '') | replace('_due', '') -%}
    {%- if milestone == count -%}
    now.{{ count }}
    {%- else -%}
    case when '{{ milestone }}' = any(string_to_array(now.pledges_unknown, ', ')) then null else now.{{ count }} end
    {%- endif -%}
{%- endmacro %}

{# The periods that are made anew. #}
{% macro periods_made_anew(change='has_changed') -%}
    select * from {{ ref('dim_feedback_period') }} where {{ is_changed('(period_basis, period)', changed_periods(change)) }}
{%- endmacro %}

{# Queries of the periods whose figures change and of their days, for is_changed and forget_changed. #}
{% macro changed_periods(change='has_changed') -%}
    select (period_basis, period)::text from {{ ref('changed_feedback_period') }} where {{ change }}
{%- endmacro %}

{% macro changed_days() -%}
    select day.date_day from {{ ref('dim_date') }} as day
    where exists (
        select from ({{ periods_made_anew() }}) as period where day.date_day between period.period_start and period.period_end
    )
{%- endmacro %}

{#
  Periods of `counted` beside what was received a year before: from `counted`, or from the mart where that period is not
  made anew. A change is told only between two whole periods; where nothing came in the one before, that is known to be 0,
  and where nothing came any more there is a row that says 0: else nobody would see the largest falls.
  Reads `counted` and its `period`. Args: grain: columns beside the period.
#}
{% macro compared_with_year_before(grain) -%}
    {%- set period_columns = [
        'period_basis', 'period', 'period_start', 'period_end', 'as_of_date', 'is_complete', 'fiscal_year', 'period_compared',
        'pledges_unknown',
    ] -%}
    with before as (
        select period_basis, period, {{ grain | join(', ') }}, received from counted
        {%- if is_incremental() %}
        union all
        select period_basis, period, {{ grain | join(', ') }}, received from {{ this }}
        {%- endif %}
    ),

    now as (
        select {{ (period_columns + grain + feedback_counts()) | join(', ') }} from counted
        union all
        select
            period.{{ period_columns | join(', period.') }}, before.{{ grain | join(', before.') }}
            {%- for count in feedback_counts() %}, 0{% endfor %}
        from period
        inner join before on period.period_basis = before.period_basis and period.period_compared = before.period
        where
            before.received > 0
            and not exists (
                select 1 from counted
                where
                    period.period_basis = counted.period_basis and period.period = counted.period
                    {%- for column in grain %}
                    and before.{{ column }} = counted.{{ column }}
                    {%- endfor %}
            )
    )

    select
        now.*,
        case when now.period_compared is not null then coalesce(before.received, 0) end as received_year_before
    from now
    left join before
        on
            now.period_basis = before.period_basis
            and now.period_compared = before.period
            {%- for column in grain %}
            and now.{{ column }} = before.{{ column }}
            {%- endfor %}
{%- endmacro %}

{# The counts of `now`, and what the marts on feedback tell of them: shares, and the change on the year before. #}
{% macro feedback_figures() -%}
    {%- for count in feedback_counts() %}
    {{ told_count(count) }} as {{ count }},
    {%- endfor %}
    {{ share('now.received_reopened', 'now.received') }} as reopened_share,
    {{ share('now.found_substantiated + now.found_partly',
             'now.found_substantiated + now.found_partly + now.found_unsubstantiated') }} as substantiated_share,
    {%- for milestone in ['acknowledgement', 'first_reply', 'substantive_reply'] %}
    {{ share(told_count(milestone ~ '_within_target'), 'now.' ~ milestone ~ '_due') }} as {{ milestone }}_within_target_share,
    {%- endfor %}
    now.received_year_before,
    {{ change_pct('now.received', 'now.received_year_before') }} as received_change_pct,
    {{ ratio_change_pct('now.received', 'now.received_year_before', '-') }} as received_change_low_pct,
    {{ ratio_change_pct('now.received', 'now.received_year_before', '+') }} as received_change_high_pct,
    {{ is_ratio_significant('now.received', 'now.received_year_before') }} as is_change_significant
{%- endmacro %}

{# The kinds of feedback that are reported even where nothing came. #}
{% macro feedback_kinds() -%}
    ({{ codes('kind') }})
{%- endmacro %}
