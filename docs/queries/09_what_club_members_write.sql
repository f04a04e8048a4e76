-- Question: What do club members write to us about, compared with the size of their club?
-- Look at: a company counts under a club only if it was a member on the day the case was received.
-- Columns: club_code, kind, cases, companies, members_tonight
select
    member.club_code,
    feedback.kind,
    count(*) as cases,
    count(distinct feedback.company_id) as companies,
    (
        select count(distinct current_member.company_id)
        from core.dim_membership as current_member
        where current_member.club_code = member.club_code and current_member.is_current
    ) as members_tonight
from core.fct_feedback_case as feedback
inner join core.dim_membership as member
    on
        feedback.company_id = member.company_id
        and feedback.received_on >= member.valid_from
        and feedback.received_on < coalesce(member.valid_to, 'infinity')
where feedback.is_counted
group by member.club_code, feedback.kind
order by member.club_code, cases desc, feedback.kind;
