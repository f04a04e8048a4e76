{{ config(
    materialized='incremental',
    indexes=[{'columns': ['valid_from']}, {'columns': ['valid_to']}],
    pre_hook="{{ forget_changed('company_id', changed_companies()) }}",
    post_hook="analyze {{ this }}"
) }}

-- A row without a joining date or a club of the list, or one that ends before it begins, makes no spell; nor does one
-- of a company that is not known (yet): the grain of membership is the company. One that ends on the day it begins is a
-- spell without a day: a join and a leave.
with membership as (
    select
        company_id,
        club_code,
        joined_on as valid_from,
        coalesce(left_on, 'infinity') as valid_to,
        leave_reason
    from {{ ref('fct_membership_record') }}
    where
        joined_on is not null and club_code is not null and (left_on is null or left_on >= joined_on)
        and company_id in (select company_id from {{ ref('dim_customer') }})
        and {{ is_changed('company_id', changed_companies()) }}
),

spell as (
    {{ merge_spells('membership', ['company_id', 'club_code'], [
        'count(*)::integer as memberships_merged',
        '(array_agg(leave_reason order by valid_to desc, leave_reason))[1] as leave_reason'
    ]) }}
)

select
    spell.company_id,
    spell.club_code,
    spell.spell_number::integer as spell_number,
    spell.valid_from,
    nullif(spell.valid_to, 'infinity') as valid_to,
    spell.spell_number > 1 as is_rejoin,
    night.business_date >= spell.valid_from and night.business_date < spell.valid_to as is_current,
    case when spell.valid_to < 'infinity' then spell.leave_reason end as leave_reason,
    spell.memberships_merged
from spell
cross join {{ ref('as_of') }} as night
