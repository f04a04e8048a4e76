-- Before the facts are made anew, the spells of the changed companies until now, with what the breakdowns say of them.
{%- if goes_on() %}
select
    spell.company_id,
    spell.club_code,
    spell.spell_number,
    spell.valid_from,
    spell.valid_to,
    customer.size_band,
    customer.industry_code,
    customer.district_code
from {{ former('fct_membership_spell') }} as spell
inner join {{ former('dim_customer') }} as customer on spell.company_id = customer.company_id
where spell.company_id = any(array({{ changed_companies() }}))
{%- else %}
select
    null as company_id,
    null as club_code,
    null::integer as spell_number,
    null::date as valid_from,
    null::date as valid_to,
    null as size_band,
    null as industry_code,
    null as district_code
where false
{%- endif %}
-- depends_on: {{ ref('changed_company') }}
