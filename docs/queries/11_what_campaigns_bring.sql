-- Question: Which campaigns are answered, and did every contact have the consent it needed?
-- Look at: compare by response_90_days_share, for responses to a recent campaign still come; contacts_without_consent should be 0.
-- Columns: kind_code, campaign_id, campaign_name, contacted, responded, response_pct, low_pct, high_pct, response_90_days_share, days_to_response_median, contacts_without_consent
select
    kind_code,
    campaign_id,
    campaign_name,
    contacted,
    responded,
    round(100 * response_share, 1) as response_pct,
    round(100 * response_low, 1) as low_pct,
    round(100 * response_high, 1) as high_pct,
    response_90_days_share,
    days_to_response_median,
    contacts_without_consent
from marts.kpi_campaign
where contacted > 0
order by kind_code, first_contacted_on desc, campaign_id;
