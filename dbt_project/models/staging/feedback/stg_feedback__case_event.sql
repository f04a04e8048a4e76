with latest as (
    {{ latest_version('feedback', 'case_event', ['event_id']) }}
)

select
    event_id,
    {{ trimmed('case_no') }} as case_no,
    {{ concept('case_event', 'event_type') }} as event_type,
    occurred_at,
    {{ local_date('occurred_at') }} as occurred_on,
    recorded_at,
    {{ trimmed('actor_unit') }} as actor_unit,
    _load_id
from latest
