{{ config(materialized='incremental', pre_hook="{{ forget_changed('cohort_fiscal_year', changed_cohorts()) }}") }}

-- Only anniversaries that the whole cohort has reached: else the early joiners would speak for it.
with anniversary as (
    select *
    from ({{ reached_anniversaries() }}) as reached
    where {{ is_changed('cohort_fiscal_year', changed_cohorts()) }}
),

joined as (
    select
        anniversary.*,
        spell.company_id,
        spell.club_code,
        (spell.valid_from + make_interval(years => anniversary.years_since_joining))::date as looked_on,
        spell.valid_to as first_left_on
    from {{ ref('fct_membership_spell') }} as spell
    inner join anniversary on {{ fiscal_year('spell.valid_from') }} = anniversary.cohort_fiscal_year
    where
        spell.spell_number = 1
        and spell.valid_from >= (select min(earliest.cohort_start) from anniversary as earliest)
        and spell.valid_from <= (select max(latest.cohort_end) from anniversary as latest)
),

counted as (
    select
        joined.cohort_fiscal_year,
        joined.cohort_start,
        joined.cohort_end,
        joined.club_code,
        joined.years_since_joining,
        count(*) as joined,
        count(*) filter (
            where joined.looked_on < coalesce(joined.first_left_on, 'infinity') or later.company_id is not null
        ) as retained,
        count(*) filter (where joined.looked_on < coalesce(joined.first_left_on, 'infinity')) as never_left
    from joined
    left join {{ ref('fct_membership_spell') }} as later
        on
            later.spell_number > 1
            and joined.company_id = later.company_id
            and joined.club_code = later.club_code
            and joined.looked_on >= later.valid_from
            and joined.looked_on < coalesce(later.valid_to, 'infinity')
    group by 1, 2, 3, 4, 5
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
