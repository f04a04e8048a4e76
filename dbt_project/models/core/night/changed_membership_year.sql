-- Only what differs on the day counts: a member who leaves tonight changes no year that is over.
with year as (
    {{ membership_years() }}
),

spell as (
    select
        company_id,
        club_code,
        valid_from,
        valid_to,
        size_band,
        industry_code,
        district_code
    from {{ ref('changed_membership_spell') }}
    union all
    select
        spell.company_id,
        spell.club_code,
        spell.valid_from,
        spell.valid_to,
        customer.size_band,
        customer.industry_code,
        customer.district_code
    from {{ ref('fct_membership_spell') }} as spell
    inner join {{ ref('dim_customer') }} as customer on spell.company_id = customer.company_id
    where
        spell.company_id = any(array({{ changed_companies() }}))
        and customer.company_id = any(array({{ changed_companies() }}))
),

-- A member who is the same before and after is there twice.
member as (
    select year.as_of_date
    from (select distinct as_of_date from year) as year
    inner join spell
        on year.as_of_date >= spell.valid_from and year.as_of_date < coalesce(spell.valid_to, 'infinity')
    group by year.as_of_date, spell.company_id, spell.club_code, spell.valid_from, spell.size_band, spell.industry_code,
        spell.district_code
    having count(*) = 1
),

-- Feedback of the year before the day makes an active member, as does engagement.
moved as (
    select from_day as moved_on
    from {{ ref('changed_feedback_day') }}
    where counted_in = 'movement'
    union
    select moved_on
    from {{ ref('fct_feedback_movement') }}
    where case_no = any(array({{ changed_cases() }}))
)

select
    year.period_basis,
    year.period,
    year.as_of_date,
    year.is_complete,
    {% if goes_on() -%}
    not exists (
        select 1
        from {{ this }} as stood
        where
            year.period_basis = stood.period_basis and year.period = stood.period
            and year.as_of_date = stood.as_of_date and year.is_complete = stood.is_complete
    )
    {%- else %}true{% endif %}
    or year.as_of_date in (select as_of_date from member)
    or exists (
        select 1
        from moved
        where moved.moved_on > (year.as_of_date - interval '1 year')::date and moved.moved_on <= year.as_of_date
    )
    or exists (
        select 1
        from {{ ref('changed_engagement_month') }} as engaged
        where
            engaged.has_changed
            and engaged.month_start + interval '1 month' > year.as_of_date - interval '1 year'
            and engaged.month_start <= year.as_of_date
    ) as has_changed
from year
