-- A company has a first response exactly where one of its responses came after the contact.
with answered as (
    select distinct
        campaign_id,
        company_id
    from {{ ref('fct_campaign_response') }}
    where is_after_contact and response_kind <> 'opt_out'
)

select fact.*
from {{ ref('fct_campaign_contact') }} as fact
full join answered on fact.campaign_id = answered.campaign_id and fact.company_id = answered.company_id
where (fact.first_responded_on is null) = (answered.campaign_id is not null)
