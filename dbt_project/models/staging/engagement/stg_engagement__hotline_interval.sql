with latest as (
    {{ latest_version('engagement', 'hotline_interval', ['call_date', 'start_time']) }}
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
