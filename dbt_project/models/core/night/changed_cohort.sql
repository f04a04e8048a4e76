-- A cohort's figures change with the spells of its companies, and when it reaches an anniversary.
with spell as (
    select
        company_id,
        club_code,
        spell_number,
        valid_from,
        valid_to
    from {{ ref('changed_membership_spell') }}
    union all
    select
        company_id,
        club_code,
        spell_number,
        valid_from,
        valid_to
    from {{ ref('fct_membership_spell') }}
    where company_id = any(array({{ changed_companies() }}))
),

-- A spell that is the same before and after is there twice.
changed as (
    select
        company_id,
        club_code
    from spell
    group by company_id, club_code, spell_number, valid_from, valid_to
    having count(*) = 1
)

select {{ fiscal_year('spell.valid_from') }} as cohort_fiscal_year
from spell
inner join changed on spell.company_id = changed.company_id and spell.club_code = changed.club_code
where spell.spell_number = 1 and spell.valid_from is not null
union
select anniversary.cohort_fiscal_year
from ({{ reached_anniversaries() }}) as anniversary
inner join {{ ref('build') }} as build on build.goes_on and anniversary.reached_on > build.since_date
