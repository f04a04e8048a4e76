-- Both ways: no case is lost on the way to the fact, and none stays that staging no longer knows.
select coalesce(staged.case_no, fact.case_no) as case_no
from {{ ref('stg_feedback__case') }} as staged
full join {{ ref('fct_feedback_case') }} as fact on staged.case_no = fact.case_no
where staged.case_no is null or fact.case_no is null
