{{ config(
    materialized='incremental',
    indexes=[{'columns': ['moved_on']}],
    pre_hook="{{ forget_changed('case_no', amended_cases()) }}",
    post_hook="analyze {{ this }}"
) }}

select
    changed.case_no,
    added.measure,
    added.moved_on
from {{ ref('fct_feedback_case') }} as changed
cross join lateral (
    values
        ('merged', received_on, not is_counted),
        ('received', received_on, is_counted),
        ('received_anonymous', received_on, is_counted and is_anonymous),
        ('received_withdrawn', received_on, is_counted and status = 'withdrawn'),
        ('received_reopened', received_on, is_counted and reopened_count > 0),
        ('found_substantiated', received_on, is_counted and outcome = 'substantiated'),
        ('found_partly', received_on, is_counted and outcome = 'partly'),
        ('found_unsubstantiated', received_on, is_counted and outcome = 'unsubstantiated'),
        ('closed', closed_on, is_counted and closed_on is not null)
) as added (measure, moved_on, counts)
where added.counts and {{ is_changed('changed.case_no', amended_cases()) }}
union all
select
    milestone.case_no,
    milestone.milestone || added.suffix,
    milestone.due_on
from {{ ref('fct_feedback_milestone') }} as milestone
cross join lateral (
    values
        ('_due', true),
        ('_within_target', met_on <= due_on)
) as added (suffix, counts)
where milestone.due_on is not null and added.counts and {{ is_changed('milestone.case_no', amended_cases()) }}
