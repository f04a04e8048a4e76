with latest as (
    {{ latest_version('engagement', 'hotline_interval', ['call_date', 'start_time'], tie_break='delivered_at desc') }}
)

select
    call_date,
    start_time,
    offered,
    answered,
    abandoned,
    wait_seconds,
    answered_within_20s
from latest
