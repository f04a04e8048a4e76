{%- set people = [
    'sent', 'delivered', 'bounced', 'dropped', 'opened', 'machine_opened', 'clicked', 'unsubscribed', 'spam_reported'
] -%}

with issue as (
    select
        newsletter.newsletter_code,
        newsletter.sent_on,
        count(*) filter (where recipient.is_delivered or recipient.is_bounced) as sent,
        count(*) filter (where recipient.is_delivered) as delivered,
        count(*) filter (where recipient.is_bounced) as bounced,
        count(*) filter (where recipient.is_dropped) as dropped,
        count(*) filter (where recipient.is_delivered and recipient.opened_on is not null) as opened,
        count(*) filter (
            where recipient.is_delivered and recipient.opened_on is null and recipient.machine_opened_on is not null
        ) as machine_opened,
        count(*) filter (where recipient.is_delivered and recipient.clicked_on is not null) as clicked,
        count(*) filter (where recipient.is_delivered and recipient.unsubscribed_on is not null) as unsubscribed,
        count(*) filter (where recipient.is_delivered and recipient.spam_reported_on is not null) as spam_reported,
        case
            when count(recipient.unsubscribe_standing_since) = count(recipient.is_late_after_unsubscribe)
                then count(*) filter (where recipient.is_late_after_unsubscribe)
        end as late_sends_after_unsubscribe
    from {{ ref('dim_newsletter') }} as newsletter
    inner join {{ ref('fct_newsletter_recipient') }} as recipient
        on newsletter.newsletter_code = recipient.newsletter_code
    group by newsletter.newsletter_code, newsletter.sent_on
),

-- An issue to so few people is in no sum either, so that no difference tells them; but each late send is told.
shown as (
    select
        newsletter_code,
        sent_on,
        sent < 5 as is_small,
        late_sends_after_unsubscribe
        {%- for count in people %},
        case when sent >= 5 then {{ count }} end as {{ count }}
        {%- endfor %}
    from issue
),

counted as (
    select
        period.period_basis,
        period.period,
        period.period_start,
        period.period_end,
        period.is_complete,
        coalesce(shown.newsletter_code, 'all') as newsletter_code,
        count(*) as newsletters,
        count(*) filter (where shown.is_small) as small_newsletters,
        case
            when count(*) = count(shown.late_sends_after_unsubscribe) then sum(shown.late_sends_after_unsubscribe)
        end as late_sends_after_unsubscribe
        {%- for count in people %},
        sum(shown.{{ count }})::integer as {{ count }}
        {%- endfor %}
    from ({{ period_of_fact(ref('dim_newsletter'), 'sent_on') }}) as period
    inner join shown on shown.sent_on between period.period_start and period.period_end
    group by grouping sets (
        (period.period_basis, period.period, period.period_start, period.period_end, period.is_complete),
        (period.period_basis, period.period, period.period_start, period.period_end, period.is_complete,
            shown.newsletter_code)
    )
)

select
    period_basis,
    period,
    period_start,
    period_end,
    is_complete,
    newsletter_code,
    newsletters::integer as newsletters,
    small_newsletters::integer as small_newsletters
    {%- for count in people %},
    {{ count }}
    {%- endfor %},
    late_sends_after_unsubscribe::integer as late_sends_after_unsubscribe,
    {{ share('delivered', 'sent') }} as delivered_share,
    {{ share('bounced', 'sent') }} as bounced_share,
    {{ share('opened', 'delivered') }} as opened_share,
    {{ share('clicked', 'delivered') }} as clicked_share,
    {{ share('unsubscribed', 'delivered') }} as unsubscribed_share
from counted
