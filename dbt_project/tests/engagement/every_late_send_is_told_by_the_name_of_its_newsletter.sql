-- Both ways: the mart tells of each late send, in the month of its newsletter, and of no other.
with fact as (
    select
        newsletter_code,
        count(*) as late_sends
    from {{ ref('fct_newsletter_recipient') }}
    where is_late_after_unsubscribe
    group by 1
),

mart as (
    select
        newsletter_code,
        late_sends_after_unsubscribe as late_sends
    from {{ ref('kpi_engagement_newsletter') }}
    where period_basis = 'month' and newsletter_code <> 'all' and late_sends_after_unsubscribe > 0
)

select *
from mart
full join fact on mart.newsletter_code = fact.newsletter_code
where mart.late_sends is distinct from fact.late_sends
