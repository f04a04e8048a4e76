with with_account as (
    select distinct interaction.interaction_id
    from {{ ref('stg_campaign__interaction') }} as interaction
    inner join {{ ref('dim_account') }} as account
        on
            interaction.company_id = account.company_id
            and interaction.interacted_on >= account.valid_from
            and interaction.interacted_on < coalesce(account.valid_to, 'infinity')
)

-- A number that its dimension does not know is no reference: it becomes null, never a sentinel.
select
    interaction.interaction_id,
    customer.company_id,
    staff.staff_id,
    interaction.interacted_on,
    interaction.channel,
    interaction.direction,
    with_account.interaction_id is not null as is_with_account
from {{ ref('stg_campaign__interaction') }} as interaction
left join with_account on interaction.interaction_id = with_account.interaction_id
left join {{ ref('dim_customer') }} as customer on interaction.company_id = customer.company_id
left join {{ ref('dim_staff') }} as staff on interaction.staff_id = staff.staff_id
