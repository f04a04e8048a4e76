with latest as (
    {{ latest_version('campaign', 'relationship_executive', [trimmed('relationship_executive_id')]) }}
)

select
    {{ trimmed('relationship_executive_id') }} as relationship_executive_id,
    {{ trimmed('team') }} as team,
    active_from,
    active_to
from latest
