{{ config(materialized='incremental', pre_hook="{{ forget_changed('cohort_fiscal_year', changed_cohorts()) }}") }}

-- Only anniversaries that the whole cohort has reached: else the early joiners would speak for it.
with anniversary as (
    select *
    from ({{ reached_anniversaries() }}) as reached
    where {{ is_changed('cohort_fiscal_year', changed_cohorts()) }}
),

-- Which anniversaries a company saw before it first left follows from the whole years that it stayed: it is looked at
-- once, not for each of them.
stayed as (
    select
        valid_from,
        club_code,
        calendar_years
        - ((valid_from + make_interval(years => calendar_years))::date >= valid_to)::integer as whole_years,
        count(*) as companies
    from (
        select
            valid_from,
            valid_to,
            club_code,
            (extract(year from valid_to) - extract(year from valid_from))::integer as calendar_years
        from {{ ref('fct_membership_spell') }}
        where
            spell_number = 1
            and valid_from >= (select min(cohort_start) from anniversary)
            and valid_from <= (select max(cohort_end) from anniversary)
    ) as first_spell
    group by 1, 2, 3
),

cohort as (
    select
        {{ fiscal_year('valid_from') }} as cohort_fiscal_year,
        club_code,
        whole_years,
        sum(companies) as companies
    from stayed
    group by 1, 2, 3
),

-- Few come back, and the planner takes them for many.
came_back as materialized (
    select
        first_spell.valid_from as joined_on,
        later.club_code,
        later.valid_from,
        later.valid_to
    from {{ ref('fct_membership_spell') }} as later
    inner join {{ ref('fct_membership_spell') }} as first_spell
        on later.company_id = first_spell.company_id and later.club_code = first_spell.club_code
    where later.spell_number > 1 and first_spell.spell_number = 1
),

returned as (
    select
        anniversary.cohort_fiscal_year,
        anniversary.years_since_joining,
        came_back.club_code,
        count(*) as companies
    from came_back
    inner join anniversary
        on came_back.joined_on >= anniversary.cohort_start and came_back.joined_on <= anniversary.cohort_end
    cross join lateral (
        select (came_back.joined_on + make_interval(years => anniversary.years_since_joining))::date as looked_on
    ) as day
    where day.looked_on >= came_back.valid_from and day.looked_on < coalesce(came_back.valid_to, 'infinity')
    group by 1, 2, 3
),

seen as (
    select
        anniversary.cohort_fiscal_year,
        anniversary.cohort_start,
        anniversary.cohort_end,
        cohort.club_code,
        anniversary.years_since_joining,
        sum(cohort.companies) as joined,
        coalesce(sum(cohort.companies) filter (
            where coalesce(cohort.whole_years >= anniversary.years_since_joining, true)
        ), 0) as never_left
    from anniversary
    inner join cohort on anniversary.cohort_fiscal_year = cohort.cohort_fiscal_year
    group by 1, 2, 3, 4, 5
),

counted as (
    select
        seen.*,
        seen.never_left + coalesce(returned.companies, 0) as retained
    from seen
    left join returned
        on
            seen.cohort_fiscal_year = returned.cohort_fiscal_year
            and seen.years_since_joining = returned.years_since_joining
            and seen.club_code = returned.club_code
)

select
    cohort_fiscal_year,
    cohort_start,
    cohort_end,
    club_code,
    years_since_joining,
    joined < 5 as is_suppressed,
    case when joined >= 5 then joined end::integer as joined,
    case when joined >= 5 then retained end::integer as retained,
    case when joined >= 5 then never_left end::integer as never_left,
    case when joined >= 5 then {{ share('retained', 'joined') }} end as retained_share,
    case when joined >= 5 then {{ share('never_left', 'joined') }} end as never_left_share
from counted
