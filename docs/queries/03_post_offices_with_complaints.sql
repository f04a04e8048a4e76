-- Question: Which post offices have complaints about them, and how many were substantiated?
-- Look at: cases that name no post office are left out; a busy office has more of everything.
-- Columns: post_office_code, name_en, district_code, complaints, substantiated
select
    office.post_office_code,
    office.name_en,
    office.district_code,
    count(*) as complaints,
    count(*) filter (where feedback.outcome in ('substantiated', 'partly')) as substantiated
from core.fct_feedback_case as feedback
inner join core.dim_post_office as office on feedback.post_office_code = office.post_office_code
where feedback.is_counted and feedback.kind_concept = 'complaint'
group by office.post_office_code, office.name_en, office.district_code
order by complaints desc, office.post_office_code
limit 20;
