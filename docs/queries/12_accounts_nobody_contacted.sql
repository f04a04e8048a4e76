-- Question: How many accounts has each member of staff, and how many of them had no interaction in 90 days?
-- Look at: staff are numbers, for those in charge of them; an interaction counts whoever of staff entered it, and in either direction. The totals are in marts.kpi_account_management.
-- Columns: role, team, staff_id, accounts, without_interaction, longest_silence_days
select
    account.role,
    staff.team,
    account.staff_id,
    count(*) as accounts,
    count(*) filter (where coalesce(night.business_date - met.last_on >= 90, true)) as without_interaction,
    max(night.business_date - met.last_on) as longest_silence_days
from core.dim_account as account
cross join core.as_of as night
inner join core.dim_staff as staff on account.staff_id = staff.staff_id
left join (
    select company_id, max(interacted_on) as last_on
    from core.fct_interaction
    group by company_id
) as met on account.company_id = met.company_id
where account.is_current
group by account.role, staff.team, account.staff_id
order by without_interaction desc, account.staff_id;
