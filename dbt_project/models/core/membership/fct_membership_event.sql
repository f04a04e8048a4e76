{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed('company_id', changed_companies()) }}",
    post_hook="analyze {{ this }}"
) }}

with spell as (
    select
        company_id,
        club_code,
        spell_number,
        valid_from,
        valid_to
    from {{ ref('dim_membership') }}
    where {{ is_changed('company_id', changed_companies()) }}
),

-- A company in several clubs is one member of the operator: its spells of those clubs that count as any, merged.
any_club as (
    select
        company_id,
        'any' as club_code,
        valid_from,
        coalesce(valid_to, 'infinity') as valid_to
    from spell
    where club_code in ({{ codes_of('club', 'any') }})
),

spell_in_scope as (
    select * from spell
    union all
    select company_id, club_code, spell_number, valid_from, nullif(valid_to, 'infinity')
    from ({{ merge_spells('any_club', ['company_id', 'club_code']) }}) as merged
)

select
    spell.company_id,
    spell.club_code,
    event.event_on,
    event.event_type,
    spell.spell_number::integer as spell_number
from spell_in_scope as spell
cross join {{ ref('as_of') }} as night
cross join lateral (
    values
        (case when spell.spell_number = 1 then 'join' else 'rejoin' end, spell.valid_from),
        ('leave', spell.valid_to)
) as event (event_type, event_on)
where event.event_on <= night.business_date
