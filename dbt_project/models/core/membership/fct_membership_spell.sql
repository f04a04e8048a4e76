{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed('company_id', changed_companies()) }}",
    post_hook="analyze {{ this }}"
) }}

select
    company_id,
    club_code,
    spell_number,
    min(event_on) filter (where event_type <> 'leave') as valid_from,
    min(event_on) filter (where event_type = 'leave') as valid_to
from {{ ref('fct_membership_event') }}
where {{ is_changed('company_id', changed_companies()) }}
group by 1, 2, 3
