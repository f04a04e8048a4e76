-- Before the facts are made anew, what the changed cases added to their days until now.
with stood as (
    {%- if goes_on() %}
    select
        'movement' as counted_in,
        moved_on as from_day,
        moved_on as to_day
    from {{ former('fct_feedback_movement') }}
    where case_no = any(array({{ changed_cases() }}))
    union
    select
        'backlog',
        open_from,
        coalesce(open_to - 1, 'infinity')
    from {{ former('fct_feedback_open_spell') }}
    where case_no = any(array({{ changed_cases() }}))
    {%- else %}
    select
        null as counted_in,
        null::date as from_day,
        null::date as to_day
    where false
    {%- endif %}
)

select
    counted_in,
    from_day,
    to_day
from stood
where from_day <= to_day
-- depends_on: {{ ref('changed_case') }}
