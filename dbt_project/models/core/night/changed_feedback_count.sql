-- Before the facts are made anew, what the changed cases added to the counts of each month until now.
{%- if goes_on() %}
{{ feedback_by_month(
    feedback_features(), former('fct_feedback_movement'), former('fct_feedback_case'), former('dim_customer'),
    '(select since_date from ' ~ ref('build') ~ ')',
    'movement.case_no = any(array(' ~ changed_cases() ~ ')) and feedback.case_no = any(array(' ~ changed_cases() ~ '))'
) }}
{%- else %}
select
    null::date as month_start
    {%- for column in feedback_features() %},
    null as {{ column }}
    {%- endfor %}
    {%- for count in ['movements'] + feedback_counts() %},
    null::integer as {{ count }}
    {%- endfor %}
where false
{%- endif %}
-- depends_on: {{ ref('changed_case') }}, {{ ref('build') }}
