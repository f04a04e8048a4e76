-- One of each role at a time: an assignment ends where the next of its role begins, though nobody entered its end.
-- Of two that begin on one day the later entered counts; one that ends on its first day was taken back, and ends no
-- other. Who has left the service is in charge of nobody, though nobody entered that either.
with assignment as (
    select distinct on (assigned.company_id, staff.role, assigned.assigned_from)
        assigned.company_id,
        assigned.staff_id,
        staff.role,
        assigned.assigned_from,
        least(assigned.assigned_to, staff.active_to + 1) as assigned_to
    from {{ ref('stg_campaign__account_assignment') }} as assigned
    inner join {{ ref('dim_staff') }} as staff on assigned.staff_id = staff.staff_id
    inner join {{ ref('dim_customer') }} as customer on assigned.company_id = customer.company_id
    where
        assigned.assigned_from is not null
        and coalesce(least(assigned.assigned_to, staff.active_to + 1) > assigned.assigned_from, true)
    order by assigned.company_id asc, staff.role asc, assigned.assigned_from asc, assigned.account_assignment_id desc
),

spell as (
    select
        company_id,
        staff_id,
        role,
        assigned_from as valid_from,
        least(
            assigned_to, lead(assigned_from) over (partition by company_id, role order by assigned_from)
        ) as valid_to
    from assignment
)

select
    spell.company_id,
    spell.staff_id,
    spell.role,
    spell.valid_from,
    spell.valid_to,
    night.business_date >= spell.valid_from and night.business_date < coalesce(spell.valid_to, 'infinity') as is_current
from spell
cross join {{ ref('as_of') }} as night
