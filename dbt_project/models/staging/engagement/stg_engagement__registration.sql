with latest as (
    {{ latest_version('engagement', 'registration', [trimmed('registration_id')], tie_break='delivered_at desc') }}
)

select
    {{ trimmed('registration_id') }} as registration_id,
    {{ trimmed('activity_id') }} as activity_id,
    upper({{ trimmed('company_id') }}) as company_id,
    person_key,
    registered_on,
    attended,
    is_walk_in
from latest
