{{ config(
    materialized='incremental',
    indexes=[{'columns': ['case_no']}],
    pre_hook="{{ forget_changed('event_id', changed_keys('feedback__case_event', 'bigint')) }}",
    post_hook="analyze {{ this }}"
) }}

select
    event.event_id,
    event.case_no,
    event.event_type,
    event.occurred_at,
    event.occurred_on,
    event.recorded_at,
    event.actor_unit,
    event._load_id
from {{ ref('stg_feedback__case_event') }} as event
where {{ is_changed('event.event_id', changed_keys('feedback__case_event', 'bigint')) }}
-- depends_on: {{ ref('changed_case') }}
