{{ config(
    materialized='incremental',
    indexes=[{'columns': ["coalesce(open_to, 'infinity')"]}],
    pre_hook="{{ forget_changed('case_no', amended_cases()) }}",
    post_hook="analyze {{ this }}"
) }}

with changed as not materialized (
    select *
    from {{ ref('fct_feedback_case') }}
    where {{ is_changed('case_no', amended_cases()) }}
),

-- A case is open from its receipt; a typing error that closes it before the receipt closes it on that day.
turn as (
    select
        case_no,
        received_on as turned_on,
        '-infinity'::timestamptz as turned_at,
        0::bigint as event_id,
        true as is_open
    from changed
    union all
    select
        event.case_no,
        greatest(event.occurred_on, changed.received_on),
        event.occurred_at,
        event.event_id,
        event.event_type in ('reopened', 'reinstated')
    from changed
    inner join {{ ref('fct_feedback_event') }} as event on changed.case_no = event.case_no
    where
        event.event_type in ('closed', 'withdrawn', 'merged', 'reopened', 'reinstated')
        and {{ is_changed('event.case_no', amended_cases()) }}
),

-- Closed twice is closed once, and reopening what is open opens nothing.
change as (
    select
        case_no,
        turned_on,
        turned_at,
        event_id,
        is_open,
        coalesce(
            is_open <> lag(is_open) over (partition by case_no order by turned_at, event_id), true
        ) as is_change
    from turn
),

spell as (
    select
        case_no,
        is_open,
        turned_on as open_from,
        lead(turned_on) over (partition by case_no order by turned_at, event_id) as open_to
    from change
    where is_change
),

numbered as (
    select
        case_no,
        open_from,
        open_to,
        row_number() over (partition by case_no order by open_from, open_to) as spell_number,
        count(*) over (partition by case_no) as spells
    from spell
    where is_open
)

-- Whether the last spell goes on, the present status says: an event can be missing, a status cannot.
select
    numbered.case_no,
    numbered.spell_number::integer as spell_number,
    numbered.open_from,
    case
        when numbered.spell_number < numbered.spells then numbered.open_to
        when changed.status in ('closed', 'withdrawn', 'merged')
            then coalesce(numbered.open_to, greatest(changed.closed_on, numbered.open_from))
    end as open_to
from numbered
inner join changed on numbered.case_no = changed.case_no
