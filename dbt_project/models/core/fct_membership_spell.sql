{{ config(post_hook="analyze {{ this }}") }}

select
    company_id,
    club_code,
    spell_number,
    min(event_on) filter (where event_type <> 'leave') as valid_from,
    min(event_on) filter (where event_type = 'leave') as valid_to
from {{ ref('fct_membership_event') }}
group by 1, 2, 3
