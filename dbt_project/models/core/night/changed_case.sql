-- Everything that a case is made of: its own versions, its events, what it refers to. And what lay ahead of the last
-- business date and has come to pass: of that the case's rows say nothing, but the counts do.
{%- set changed_events = changed_keys('feedback__case_event', 'bigint') %}
with amended as (
    select key as case_no
    from {{ ref('changed_key') }}
    where relation = 'feedback__cases'
    union
    select case_no
    from {{ ref('stg_feedback__case_event') }}
    where event_id = any(array({{ changed_events }})) and case_no is not null
    {%- if goes_on() %}
    union
    select case_no
    from {{ former('fct_feedback_event') }}
    where event_id = any(array({{ changed_events }})) and case_no is not null
    {%- for column, relation in {
        'category_code': 'feedback__category', 'post_office_code': 'feedback__post_office', 'company_id': 'membership__company'
    }.items() %}
    union
    select case_no
    from {{ former('fct_feedback_case') }}
    where _stated_{{ column }} = any(array({{ changed_keys(relation) }}))
    {%- endfor %}
    {%- endif %}
)

select
    case_no,
    true as is_amended
from amended
{%- if goes_on() %}
union
select
    fact.case_no,
    false
from (
    {%- for fact, column in {'fct_feedback_movement': 'moved_on', 'fct_feedback_milestone': 'met_on'}.items() %}
    select case_no from {{ former(fact) }}
    where
        {{ column }} > (select since_date from {{ ref('build') }})
        and {{ column }} <= (select business_date from {{ ref('build') }})
    {{ 'union all' if not loop.last }}
    {%- endfor %}
) as fact
where fact.case_no not in (select case_no from amended)
{%- endif %}
-- depends_on: {{ ref('build') }}
