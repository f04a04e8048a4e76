-- Everything that a case is made of: its own versions, its events, what it refers to. And what lay ahead of the last
-- business date and has come to pass.
{%- set changed_events = changed_keys('feedback__case_event', 'bigint') %}
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
{%- for fact, column in {'fct_feedback_movement': 'moved_on', 'fct_feedback_milestone': 'met_on'}.items() %}
union
select fact.case_no
from {{ former(fact) }} as fact
where
    fact.{{ column }} > (select since_date from {{ ref('build') }})
    and fact.{{ column }} <= (select business_date from {{ ref('build') }})
{%- endfor %}
{%- endif %}
-- depends_on: {{ ref('build') }}
