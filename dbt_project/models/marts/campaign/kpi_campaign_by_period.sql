with period as (
    {{ reported_period() }}
),

kind as (
    select 'all' as kind_code
    union all
    {{ codes('campaign_kind') }}
),

counted as (
    select
        period.period_basis,
        period.period,
        coalesce(campaign.kind_code, 'all') as kind_code,
        count(distinct contact.company_id) as companies_contacted,
        {{ campaign_counts() }}
    from period
    inner join {{ ref('fct_campaign_contact') }} as contact
        on contact.contacted_on between period.period_start and period.as_of_date
    inner join {{ ref('dim_campaign') }} as campaign on contact.campaign_id = campaign.campaign_id
    cross join {{ ref('as_of') }} as night
    group by grouping sets (
        (period.period_basis, period.period), (period.period_basis, period.period, campaign.kind_code)
    )
)

select
    period.period_basis,
    period.period,
    period.period_start,
    period.period_end,
    period.as_of_date,
    period.is_complete,
    kind.kind_code,
    coalesce(counted.companies_contacted, 0)::integer as companies_contacted,
    {{ campaign_figures('counted') }}
from period
cross join kind
left join counted
    on
        period.period_basis = counted.period_basis
        and period.period = counted.period
        and kind.kind_code = counted.kind_code
