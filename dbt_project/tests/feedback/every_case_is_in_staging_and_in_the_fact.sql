-- Both ways: no case is lost on the way to the fact, and none stays that staging no longer knows.
select coalesce(staged.case_no, fact.case_no) as case_no
from (select case_no from {{ ref('stg_feedback__case') }} where {{ is_tested('case_no', amended_cases()) }}) as staged
full join (select case_no from {{ ref('fct_feedback_case') }} where {{ is_tested('case_no', amended_cases()) }}) as fact
    on staged.case_no = fact.case_no
where staged.case_no is null or fact.case_no is null
