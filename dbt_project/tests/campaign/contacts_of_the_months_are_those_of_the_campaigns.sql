-- Both marts count the same contacts; what lies before the history is in no month.
with campaign as (
    select
        count(*) as contacted,
        count(*) filter (where has_consent) as with_consent,
        count(*) filter (where lacks_required_consent) as contacts_without_consent,
        count(first_responded_on) as responded
    from {{ ref('fct_campaign_contact') }}
    where contacted_on >= '{{ var("history_start") }}'
),

month as (
    select
        kind_code = 'all' as is_total,
        sum(contacted) as contacted,
        sum(with_consent) as with_consent,
        sum(contacts_without_consent) as contacts_without_consent,
        sum(responded) as responded
    from {{ ref('kpi_campaign_by_period') }}
    where period_basis = 'month'
    group by 1
)

select *
from month
full join campaign
    on
        month.contacted = campaign.contacted
        and month.with_consent = campaign.with_consent
        and month.contacts_without_consent = campaign.contacts_without_consent
        and month.responded = campaign.responded
where month.contacted is null or campaign.contacted is null
