with latest as (
    {{ latest_version('engagement', 'activity', [trimmed('activity_id')], tie_break='delivered_at desc') }}
)

select
    {{ trimmed('activity_id') }} as activity_id,
    {{ code('activity_kind', 'kind') }} as kind,
    {{ trimmed('title') }} as title,
    held_on,
    seats
from latest
