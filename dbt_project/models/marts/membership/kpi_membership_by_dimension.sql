{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed('(period_basis, period)', changed_membership_years()) }}"
) }}
{%- set dimensions = {'size_band': 'size_band', 'industry': 'industry_code', 'district': 'district_code'} -%}

with period as (
    select *
    from ({{ membership_years() }}) as year
    where {{ is_changed('(period_basis, period)', changed_membership_years()) }}
),

-- A day is looked at once, however many periods end on it.
day as (
    select distinct as_of_date from period
),

activity as (
    select
        company_id,
        received_on as happened_on
    from {{ ref('fct_feedback_case') }}
    where is_counted and company_id is not null
    union
    select
        company_id,
        engaged_on
    from {{ ref('fct_engagement') }}
),

active as (
    select distinct
        day.as_of_date,
        activity.company_id
    from activity
    inner join day
        on activity.happened_on > (day.as_of_date - interval '1 year')::date and activity.happened_on <= day.as_of_date
),

member as (
    select
        day.as_of_date,
        spell.club_code,
        day.as_of_date - spell.valid_from as tenure_days,
        active.company_id is not null as is_active
        {%- for column in dimensions.values() %},
        coalesce(customer.{{ column }}, 'not_stated') as {{ column }}
        {%- endfor %}
    from day
    inner join {{ ref('fct_membership_spell') }} as spell
        on day.as_of_date >= spell.valid_from and day.as_of_date < coalesce(spell.valid_to, 'infinity')
    left join {{ ref('dim_customer') }} as customer on spell.company_id = customer.company_id
    left join active on day.as_of_date = active.as_of_date and spell.company_id = active.company_id
),

counted as (
    select
        as_of_date,
        club_code,
        case
            {%- for dimension, column in dimensions.items() %}
            when grouping({{ column }}) = 0 then '{{ dimension }}'
            {%- endfor %}
            else 'all'
        end as dimension,
        coalesce({{ dimensions.values() | join(', ') }}, 'all') as dimension_value,
        count(*) as members,
        sum(tenure_days) as tenure_days_sum,
        percentile_cont(0.5) within group (order by tenure_days) as tenure_days_median,
        count(*) filter (where is_active) as active_members
    from member
    group by grouping sets (
        (as_of_date, club_code)
        {%- for column in dimensions.values() %},
        (as_of_date, club_code, {{ column }})
        {%- endfor %}
    )
),

telling as (
    select
        whole.as_of_date,
        whole.club_code,
        whole.dimension,
        whole.dimension_value,
        {{ tells_few_of_a_club('members') }} as members_tell,
        {{ tells_few_of_a_club('active_members') }} as active_members_tell
    from counted as whole
    inner join counted as club
        on
            whole.as_of_date = club.as_of_date
            and whole.dimension = club.dimension
            and whole.dimension_value = club.dimension_value
    where whole.club_code = 'any' and club.club_code in ({{ codes_of('club', 'any') }})
    group by whole.as_of_date, whole.club_code, whole.dimension, whole.dimension_value
),

beside as (
    select
        counted.*,
        coalesce(telling.members_tell, false) as members_tell,
        coalesce(telling.active_members_tell, false) as active_members_tell
    from counted
    left join telling
        on
            counted.as_of_date = telling.as_of_date
            and counted.club_code = telling.club_code
            and counted.dimension = telling.dimension
            and counted.dimension_value = telling.dimension_value
),

published as (
    select
        *,
        {%- for n, hidden in [('members', 'is_suppressed'), ('active_members', 'has_few_active')] %}
        dimension <> 'all' and (
            {{ is_small_cell(n, 'as_of_date, club_code, dimension', 'dimension_value') }}
            or {{ is_hidden_for_a_club(n, n ~ '_tell', 'as_of_date, club_code, dimension', 'dimension_value') }}
        ) as {{ hidden }},
        {%- endfor %}
        (as_of_date - interval '1 year')::date + 1 >= '{{ var("history_start") }}' as is_activity_known
    from beside
)

select
    period.period_basis,
    period.period,
    period.period_start,
    period.period_end,
    period.as_of_date,
    period.is_complete,
    published.club_code,
    published.dimension,
    published.dimension_value,
    published.is_suppressed,
    case when not is_suppressed then published.members end::integer as members,
    case when not is_suppressed then published.tenure_days_sum end as tenure_days_sum,
    case when not is_suppressed then {{ share('published.tenure_days_sum', 'published.members') }} end
        as tenure_days_average,
    case when not is_suppressed then {{ rate('published.tenure_days_median::numeric') }} end as tenure_days_median,
    case when is_activity_known and not is_suppressed and not has_few_active
        then published.active_members end::integer as active_members,
    case when is_activity_known and not is_suppressed and not has_few_active
        then {{ share('published.active_members', 'published.members') }} end as active_share
from published
inner join period on published.as_of_date = period.as_of_date
