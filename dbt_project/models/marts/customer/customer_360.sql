-- The ends of the fiscal years that lie wholly in the history, and the business date.
with reported as (
    select period.period_end as as_of_on
    from {{ ref('dim_period') }} as period
    cross join {{ ref('as_of') }} as night
    where
        period.period_basis = 'fiscal_year'
        and period.period_start >= '{{ var("history_start") }}'
        and period.period_end <= night.business_date
    union
    select business_date
    from {{ ref('as_of') }}
),

-- Of twelve months that began before the history a part is known; who was heard of before them, from a day later on.
day as (
    select
        as_of_on,
        (as_of_on - interval '1 year')::date + 1 >= '{{ var("history_start") }}' as is_year_known,
        (as_of_on - interval '1 year')::date >= '{{ var("history_start") }}' as is_silence_known
    from reported
),

club as (
    select
        day.as_of_on,
        membership.company_id,
        string_agg(membership.club_code, ', ' order by membership.club_code) as clubs
    from day
    inner join {{ ref('dim_membership') }} as membership
        on day.as_of_on >= membership.valid_from and day.as_of_on < coalesce(membership.valid_to, 'infinity')
    group by day.as_of_on, membership.company_id
),

member as (
    select
        day.as_of_on,
        spell.company_id,
        spell.valid_from as member_since
    from day
    inner join {{ ref('fct_membership_spell') }} as spell
        on day.as_of_on >= spell.valid_from and day.as_of_on < coalesce(spell.valid_to, 'infinity')
    where spell.club_code = 'any'
),

account as (
    select
        day.as_of_on,
        account.company_id,
        max(account.staff_id) filter (where account.role = 'manager') as account_manager_id,
        max(account.staff_id) filter (where account.role = 'executive') as relationship_executive_id
    from day
    inner join {{ ref('dim_account') }} as account
        on day.as_of_on >= account.valid_from and day.as_of_on < coalesce(account.valid_to, 'infinity')
    group by day.as_of_on, account.company_id
),

open_case as (
    select
        day.as_of_on,
        feedback.company_id,
        count(*) as open_cases
    from day
    inner join {{ ref('fct_feedback_open_spell') }} as spell
        on day.as_of_on >= spell.open_from and day.as_of_on < coalesce(spell.open_to, 'infinity')
    inner join {{ ref('fct_feedback_case') }} as feedback on spell.case_no = feedback.case_no
    where feedback.is_counted and feedback.company_id is not null
    group by day.as_of_on, feedback.company_id
),

satisfaction as (
    select distinct on (day.as_of_on, answer.company_id)
        day.as_of_on,
        answer.company_id,
        answer.answered_on,
        answer.is_satisfied
    from day
    inner join {{ ref('fct_customer_satisfaction') }} as answer on day.as_of_on >= answer.answered_on
    order by
        day.as_of_on asc, answer.company_id asc,
        answer.answered_on desc, answer.wave_code desc, answer.respondent_id desc
),

-- A contact is what was heard of the company: what was only sent to it is none, so neither is an e-mail of staff.
activity as (
    select
        feedback.company_id,
        feedback.received_on as happened_on,
        heard.measure,
        true as is_contact
    from {{ ref('fct_feedback_case') }} as feedback
    cross join lateral (values ('feedback'), (feedback.kind_concept)) as heard (measure)
    where feedback.is_counted and feedback.company_id is not null and heard.measure is not null
    union all
    select
        company_id,
        engaged_on,
        kind,
        true
    from {{ ref('fct_engagement') }}
    union all
    select
        company_id,
        interacted_on,
        'interaction',
        coalesce(channel <> 'email' or direction <> 'outbound', true)
    from {{ ref('fct_interaction') }}
    union all
    select
        company_id,
        responded_on,
        'any_response',
        true
    from {{ ref('fct_campaign_response') }}
    union all
    select
        contact.company_id,
        step.happened_on,
        step.measure,
        false
    from {{ ref('fct_campaign_contact') }} as contact
    cross join lateral (
        values ('campaign_contact', contact.contacted_on), ('campaign_response', contact.first_responded_on)
    ) as step (measure, happened_on)
),

{%- set measures = {
    'feedback': 'feedback_12_months', 'complaint': 'complaints_12_months', 'commendation': 'commendations_12_months',
    'newsletter_open': 'newsletter_open_days_12_months', 'newsletter_click': 'newsletter_click_days_12_months',
    'activity_attended': 'activity_days_12_months', 'interaction': 'interactions_12_months', 'campaign_contact': 'campaign_contacts_12_months',
    'campaign_response': 'campaign_responses_12_months',
} %}

-- A company's day is looked at once, whatever happened on it, before it is held against each date that is told.
active_day as materialized (
    select
        company_id,
        happened_on,
        bool_or(is_contact) as is_contact
        {%- for measure, column in measures.items() %},
        (count(*) filter (where measure = '{{ measure }}'))::integer as {{ column }}
        {%- endfor %}
    from activity
    where company_id is not null
    group by company_id, happened_on
),

counted as (
    select
        day.as_of_on,
        active_day.company_id,
        {%- for column in measures.values() %}
        sum(active_day.{{ column }}) as {{ column }},
        {%- endfor %}
        count(*) filter (where active_day.is_contact) as contact_days_12_months
    from day
    inner join active_day
        on active_day.happened_on > (day.as_of_on - interval '1 year')::date and day.as_of_on >= active_day.happened_on
    group by day.as_of_on, active_day.company_id
),

last_contact as (
    select
        day.as_of_on,
        active_day.company_id,
        max(active_day.happened_on) as last_contact_on
    from day
    inner join active_day on day.as_of_on >= active_day.happened_on
    where active_day.is_contact
    group by day.as_of_on, active_day.company_id
)

select
    customer.company_id,
    day.as_of_on,
    day.as_of_on = night.business_date as is_current,
    customer.registered_on,
    customer.size_band,
    customer.industry_code,
    customer.district_code,
    member.company_id is not null as is_member,
    club.clubs,
    member.member_since,
    day.as_of_on - member.member_since as tenure_days,
    account.account_manager_id,
    account.relationship_executive_id,
    coalesce(open_case.open_cases, 0)::integer as open_cases,
    satisfaction.answered_on as last_satisfaction_on,
    satisfaction.is_satisfied as was_satisfied,
    {%- for column in measures.values() %}
    case when day.is_year_known then coalesce(counted.{{ column }}, 0) end::integer as {{ column }},
    {%- endfor %}
    case when day.is_year_known then coalesce(counted.contact_days_12_months, 0) end::integer as contact_days_12_months,
    last_contact.last_contact_on,
    day.as_of_on - last_contact.last_contact_on as days_since_contact,
    segment.segment_code
from {{ ref('dim_customer') }} as customer
cross join day
cross join {{ ref('as_of') }} as night
{%- for name in ['club', 'member', 'account', 'open_case', 'satisfaction', 'counted', 'last_contact'] %}
left join {{ name }} on day.as_of_on = {{ name }}.as_of_on and customer.company_id = {{ name }}.company_id
{%- endfor %}
left join {{ ref('contact_segment') }} as segment
    on
        day.is_year_known
        and (last_contact.last_contact_on is not null or day.is_silence_known)
        and (last_contact.last_contact_on is null) = (segment.days_since_from is null)
        and coalesce(day.as_of_on - last_contact.last_contact_on >= segment.days_since_from, true)
        and coalesce(day.as_of_on - last_contact.last_contact_on <= segment.days_since_to, true)
        and coalesce(counted.contact_days_12_months, 0) >= segment.contact_days_from
        and coalesce(coalesce(counted.contact_days_12_months, 0) <= segment.contact_days_to, true)
