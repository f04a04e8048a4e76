{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='event_id',
    on_schema_change='append_new_columns',
    pre_hook="{{ forget_gone(this, 'event_id', ref('stg_feedback__case_event')) }}",
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
{% if is_incremental() %}
    -- Versions are compared, not a high-water mark: a re-run can put an older version back, and loads may commit late.
    left join {{ this }} as known on event.event_id = known.event_id
    where event._load_id is distinct from known._load_id
{% endif %}
