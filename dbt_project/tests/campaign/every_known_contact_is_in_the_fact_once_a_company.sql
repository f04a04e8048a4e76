-- Both ways: each company that a known campaign selected has a row, and no row is of another.
with staged as (
    select distinct
        contact.campaign_id,
        contact.company_id
    from {{ ref('stg_campaign__campaign_contact') }} as contact
    inner join {{ ref('dim_campaign') }} as campaign on contact.campaign_id = campaign.campaign_id
    inner join {{ ref('dim_customer') }} as customer on contact.company_id = customer.company_id
)

select coalesce(staged.company_id, fact.company_id) as company_id
from staged
full join {{ ref('fct_campaign_contact') }} as fact
    on staged.campaign_id = fact.campaign_id and staged.company_id = fact.company_id
where staged.company_id is null or fact.company_id is null
