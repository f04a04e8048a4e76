with counted as (
    select
        contact.campaign_id,
        count(*) as audience,
        min(contact.contacted_on) as first_contacted_on,
        max(contact.contacted_on) as last_contacted_on,
        {{ campaign_counts() }}
    from {{ ref('fct_campaign_contact') }} as contact
    cross join {{ ref('as_of') }} as night
    group by 1
),

stray as (
    select
        campaign_id,
        count(*) as responses
    from {{ ref('fct_campaign_response') }}
    where not is_after_contact and response_kind <> 'opt_out'
    group by 1
)

select
    campaign.campaign_id,
    campaign.campaign_name,
    campaign.kind_code,
    campaign.channel_code,
    campaign.starts_on,
    campaign.ends_on,
    counted.first_contacted_on,
    counted.last_contacted_on,
    coalesce(counted.audience, 0)::integer as audience,
    coalesce(stray.responses, 0)::integer as responses_without_contact,
    {{ campaign_figures('counted') }}
from {{ ref('dim_campaign') }} as campaign
left join counted on campaign.campaign_id = counted.campaign_id
left join stray on campaign.campaign_id = stray.campaign_id
