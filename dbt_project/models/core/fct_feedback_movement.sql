{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='case_no',
    on_schema_change='append_new_columns',
    pre_hook="{{ forget_gone(this, 'case_no', ref('fct_feedback_case')) }}",
    post_hook="analyze {{ this }}"
) }}

with milestone as (
    select
        case_no,
        milestone,
        due_on,
        met_on,
        hashint8extended(_inputs_hash, hashtextextended('{{ local_md5(model.raw_code) }}', 0)) as version
    from {{ ref('fct_feedback_milestone') }}
),

changed as (
    select
        feedback.*,
        milestone.version
    from {{ ref('fct_feedback_case') }} as feedback
    inner join milestone on feedback.case_no = milestone.case_no and milestone.milestone = 'closing'
    {% if is_incremental() %}
        left join (select distinct case_no, _inputs_hash from {{ this }}) as known on feedback.case_no = known.case_no
        where milestone.version is distinct from known._inputs_hash
    {% endif %}
)

select
    changed.case_no,
    added.measure,
    added.moved_on,
    changed.version as _inputs_hash
from changed
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
where added.counts
union all
select
    changed.case_no,
    milestone.milestone || added.suffix,
    milestone.due_on,
    changed.version
from changed
inner join milestone on changed.case_no = milestone.case_no
cross join lateral (
    values
        ('_due', true),
        ('_within_target', met_on <= due_on)
) as added (suffix, counts)
where milestone.due_on is not null and added.counts
