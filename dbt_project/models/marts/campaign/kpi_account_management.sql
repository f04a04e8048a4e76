with period as (
    {{ reported_period() }}
),

-- A day is looked at once, however many periods end on it.
day as (
    select distinct as_of_date from period
),

role as (
    select role
    from (values ('all'), ('manager'), ('executive')) as known (role)
),

met as (
    select distinct
        day.as_of_date,
        interaction.company_id
    from day
    inner join {{ ref('fct_interaction') }} as interaction
        on day.as_of_date - 90 < interaction.interacted_on and day.as_of_date >= interaction.interacted_on
),

account as (
    select
        day.as_of_date,
        coalesce(account.role, 'all') as role,
        count(distinct account.company_id) as accounts,
        count(distinct met.company_id) as accounts_with_interaction_90_days,
        count(*) as assignments,
        count(distinct account.staff_id) as staff
    from day
    inner join {{ ref('dim_account') }} as account
        on day.as_of_date >= account.valid_from and day.as_of_date < coalesce(account.valid_to, 'infinity')
    left join met on day.as_of_date = met.as_of_date and account.company_id = met.company_id
    group by grouping sets ((day.as_of_date), (day.as_of_date, account.role))
),

interaction as (
    select
        period.period_basis,
        period.period,
        role.role,
        count(*) as interactions,
        count(*) filter (where interaction.is_with_account) as account_interactions
    from period
    inner join {{ ref('fct_interaction') }} as interaction
        on interaction.interacted_on between period.period_start and period.as_of_date
    left join {{ ref('dim_staff') }} as staff on interaction.staff_id = staff.staff_id
    inner join role on role.role in ('all', staff.role)
    group by period.period_basis, period.period, role.role
)

select
    period.period_basis,
    period.period,
    period.period_start,
    period.period_end,
    period.as_of_date,
    period.is_complete,
    role.role,
    coalesce(account.accounts, 0)::integer as accounts,
    -- Before the history is 90 days long nobody knows who was contacted in that time.
    case
        when period.as_of_date - 89 >= '{{ var("history_start") }}'
            then coalesce(account.accounts_with_interaction_90_days, 0)
    end::integer as accounts_with_interaction_90_days,
    case
        when period.as_of_date - 89 >= '{{ var("history_start") }}'
            then {{ share('account.accounts_with_interaction_90_days', 'account.accounts') }}
    end as coverage_share,
    coalesce(account.assignments, 0)::integer as assignments,
    coalesce(account.staff, 0)::integer as staff,
    {{ share('account.assignments', 'account.staff') }} as accounts_per_staff,
    coalesce(interaction.interactions, 0)::integer as interactions,
    coalesce(interaction.account_interactions, 0)::integer as account_interactions,
    {{ share('coalesce(interaction.account_interactions, 0)', 'account.accounts') }} as interactions_per_account
from period
cross join role
left join account on period.as_of_date = account.as_of_date and role.role = account.role
left join interaction
    on
        period.period_basis = interaction.period_basis
        and period.period = interaction.period
        and role.role = interaction.role
