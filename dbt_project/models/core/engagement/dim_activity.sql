select
    activity_id,
    kind,
    title,
    held_on,
    seats
from {{ ref('stg_engagement__activity') }}
