-- Both ways: what is derived of a case is there for each case, and for no case that is gone.
with derived as (
    select
        case_no,
        count(*) filter (where source = 'milestone') as milestones,
        count(*) filter (where source = 'movement') as movements,
        count(*) filter (where source = 'spell') as spells
    from (
        select case_no, 'milestone' as source from {{ ref('fct_feedback_milestone') }}
        where {{ is_tested('case_no', amended_cases()) }}
        union all
        select case_no, 'movement' from {{ ref('fct_feedback_movement') }}
        where measure in ('received', 'merged') and {{ is_tested('case_no', amended_cases()) }}
        union all
        select case_no, 'spell' from {{ ref('fct_feedback_open_spell') }}
        where spell_number = 1 and {{ is_tested('case_no', amended_cases()) }}
    ) as rows_of
    group by 1
)

select coalesce(feedback.case_no, derived.case_no) as case_no
from (select case_no from {{ ref('fct_feedback_case') }} where {{ is_tested('case_no', amended_cases()) }}) as feedback
full join derived on feedback.case_no = derived.case_no
where
    feedback.case_no is null
    or derived.milestones is distinct from 4 or derived.movements is distinct from 1 or derived.spells is distinct from 1
