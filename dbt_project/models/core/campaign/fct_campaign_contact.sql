-- A company counts once a campaign, though several of its people were selected; contacted with consent is who consented
-- with every one of them. Consent that is not said is none: it could not be shown.
with stop_request as (
    select
        campaign_id,
        company_id,
        min(responded_on) as opted_out_on
    from {{ ref('stg_campaign__campaign_response') }}
    where response_kind = 'opt_out'
    group by campaign_id, company_id
),

-- Sending stops within 10 working days of the request (Unsolicited Electronic Messages Ordinance), whatever the
-- campaign.
stopped as (
    select
        company_id,
        min(opted_out_on) as opted_out_on
    from stop_request
    group by company_id
),

-- Consent given since the request lifts it.
selected as (
    select
        selected.*,
        coalesce(selected.contacted_on > stopped.opted_out_on and selected.has_consent is not true, false)
        and {{ is_past_working_days('request_day', 'contact_day', var('unsubscribe_working_days')) }}
            as is_after_opt_out
    from {{ ref('stg_campaign__campaign_contact') }} as selected
    left join stopped on selected.company_id = stopped.company_id
    left join {{ ref('dim_date') }} as request_day on stopped.opted_out_on = request_day.date_day
    left join {{ ref('dim_date') }} as contact_day on selected.contacted_on = contact_day.date_day
),

contact as (
    select
        selected.campaign_id,
        selected.company_id,
        min(selected.contacted_on) as contacted_on,
        coalesce(
            bool_and(selected.has_consent is true) filter (where selected.contacted_on is not null),
            bool_and(selected.has_consent is true)
        ) as has_consent,
        coalesce(max(selected.contacted_on) >= '{{ var("consent_required_from") }}', false) as is_consent_required,
        coalesce(bool_or(
            selected.contacted_on >= '{{ var("consent_required_from") }}' and selected.has_consent is not true
        ), false) as lacks_required_consent,
        case
            when bool_or(selected.is_after_opt_out) or count(selected.is_after_opt_out) = count(*)
                then bool_or(selected.is_after_opt_out)
        end as is_after_opt_out
    from selected
    inner join {{ ref('dim_campaign') }} as campaign on selected.campaign_id = campaign.campaign_id
    inner join {{ ref('dim_customer') }} as customer on selected.company_id = customer.company_id
    group by selected.campaign_id, selected.company_id
),

-- What comes before the contact is no response to it; a request to stop is none to the offer.
response as (
    select distinct on (contact.campaign_id, contact.company_id)
        contact.campaign_id,
        contact.company_id,
        response.responded_on,
        response.response_kind
    from contact
    inner join {{ ref('stg_campaign__campaign_response') }} as response
        on
            contact.campaign_id = response.campaign_id
            and contact.company_id = response.company_id
            and contact.contacted_on <= response.responded_on
    where response.response_kind <> 'opt_out'
    order by contact.campaign_id, contact.company_id, response.responded_on, response.campaign_response_id
)

select
    contact.campaign_id,
    contact.company_id,
    contact.contacted_on,
    contact.has_consent,
    contact.is_consent_required,
    contact.lacks_required_consent,
    response.responded_on as first_responded_on,
    response.response_kind,
    response.responded_on - contact.contacted_on as days_to_response,
    stop_request.opted_out_on,
    contact.is_after_opt_out
from contact
left join response on contact.campaign_id = response.campaign_id and contact.company_id = response.company_id
left join stop_request
    on contact.campaign_id = stop_request.campaign_id and contact.company_id = stop_request.company_id
