-- Before the facts are made anew, the steps of the changed cases as they counted until now.
{%- if goes_on() %}
{{ feedback_steps(
    former('fct_feedback_milestone'), former('fct_feedback_case'), '(select since_date from ' ~ ref('build') ~ ')',
    'step.case_no = any(array(' ~ changed_cases() ~ ')) and feedback.case_no = any(array(' ~ changed_cases() ~ '))'
) }}
{%- else %}
select
    null as case_no,
    null as milestone,
    null::date as month_start,
    {%- for column in feedback_features() if column not in ('outcome', 'size_band') %}
    null as {{ column }},
    {%- endfor %}
    null::integer as calendar_days,
    null::integer as working_days
where false
{%- endif %}
-- depends_on: {{ ref('changed_case') }}, {{ ref('build') }}
