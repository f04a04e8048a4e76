with manager as (
    select
        account_manager_id as staff_id,
        'manager' as role,
        team,
        active_from,
        active_to
    from {{ ref('stg_membership__account_manager') }}
)

select * from manager
union all
-- The two lists are kept apart; should they ever share a number, it is the manager's.
select
    executive.relationship_executive_id as staff_id,
    'executive' as role,
    executive.team,
    executive.active_from,
    executive.active_to
from {{ ref('stg_campaign__relationship_executive') }} as executive
where executive.relationship_executive_id not in (select staff_id from manager)
