-- Both ways: the mart tells of each late send, in the month of its newsletter, and of no other; where nobody knows of one
-- of a newsletter's sends, of none of it.
with fact as (
    select
        newsletter_code,
        count(*) filter (where is_late_after_unsubscribe) as late_sends
    from {{ ref('fct_newsletter_recipient') }}
    where unsubscribe_standing_since is not null
    group by 1
    having count(is_late_after_unsubscribe) = count(*) and bool_or(is_late_after_unsubscribe)
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
