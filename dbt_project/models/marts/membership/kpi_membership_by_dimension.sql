{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed('(period_basis, period)', changed_membership_years()) }}"
) }}
{%- set figures = {'members': 'is_suppressed', 'active_members': 'has_few_active'} -%}
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
    where
        is_counted and company_id is not null
        -- No earlier than any of the years looks back: the index spares the cases before.
        and received_on > (select min(as_of_date) - interval '1 year' from day)
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

-- The cells of any, each beside those of the clubs that count as any.
cell as (
    select
        whole.as_of_date,
        whole.dimension,
        whole.dimension_value,
        club.club_code
        {%- for n in figures %},
        whole.{{ n }},
        coalesce(beside.{{ n }}, 0) as club_{{ n }}
        {%- endfor %}
    from counted as whole
    cross join (
        select code as club_code
        from {{ ref('code_list') }}
        where list = 'club' and counts_as = 'any'
    ) as club
    left join counted as beside
        on
            whole.as_of_date = beside.as_of_date
            and whole.dimension = beside.dimension
            and whole.dimension_value = beside.dimension_value
            and club.club_code = beside.club_code
    where whole.club_code = 'any' and whole.dimension <> 'all'
),
{% for n in figures %}
{{ hidden_of_any(n) }},
{% endfor %}
published as (
    select
        counted.*,
        {%- for n, hidden in figures.items() %}
        counted.dimension <> 'all' and coalesce({{ n }}_of_any.is_hidden, {{ is_small_cell(
            'counted.' ~ n, 'counted.as_of_date, counted.club_code, counted.dimension', 'counted.dimension_value'
        ) }}) as {{ hidden }},
        {%- endfor %}
        (counted.as_of_date - interval '1 year')::date + 1 >= '{{ var("history_start") }}' as is_activity_known
    from counted
    {%- for n in figures %}
    left join {{ n }}_of_any
        on
            counted.club_code = 'any'
            and counted.as_of_date = {{ n }}_of_any.as_of_date
            and counted.dimension = {{ n }}_of_any.dimension
            and counted.dimension_value = {{ n }}_of_any.dimension_value
    {%- endfor %}
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
    is_activity_known and (is_suppressed or has_few_active) as is_activity_suppressed,
    case when not is_suppressed then published.members end::integer as members,
    case when not is_suppressed then published.tenure_days_sum end as tenure_days_sum,
    case when not is_suppressed then {{ share('published.tenure_days_sum', 'published.members') }} end
        as tenure_days_average,
    case when not is_suppressed then {{ percentile_of_days('published.tenure_days_median') }} end as tenure_days_median,
    case when is_activity_known and not is_suppressed and not has_few_active
        then published.active_members end::integer as active_members,
    case when is_activity_known and not is_suppressed and not has_few_active
        then {{ share('published.active_members', 'published.members') }} end as active_share
from published
inner join period on published.as_of_date = period.as_of_date
