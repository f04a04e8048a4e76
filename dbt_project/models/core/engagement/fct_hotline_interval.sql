select
    call_date,
    start_time,
    offered,
    answered,
    abandoned,
    wait_seconds,
    answered_within_20s
from {{ ref('stg_engagement__hotline_interval') }}
