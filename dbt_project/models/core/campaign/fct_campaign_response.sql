-- A number that its dimension does not know is no reference: it becomes null, never a sentinel.
select
    response.campaign_response_id,
    campaign.campaign_id,
    customer.company_id,
    response.responded_on,
    response.response_kind,
    coalesce(contact.contacted_on <= response.responded_on, false) as is_after_contact
from {{ ref('stg_campaign__campaign_response') }} as response
left join {{ ref('dim_campaign') }} as campaign on response.campaign_id = campaign.campaign_id
left join {{ ref('dim_customer') }} as customer on response.company_id = customer.company_id
left join {{ ref('fct_campaign_contact') }} as contact
    on response.campaign_id = contact.campaign_id and response.company_id = contact.company_id
