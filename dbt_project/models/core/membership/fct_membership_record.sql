{{ config(
    materialized='incremental',
    indexes=[{'columns': ['company_id']}],
    pre_hook="{{ forget_changed('membership_id', changed_keys('membership__membership')) }}",
    post_hook="analyze {{ this }}"
) }}

select
    membership_id,
    company_id,
    club_code,
    joined_on,
    left_on,
    leave_reason
from {{ ref('stg_membership__membership') }}
where {{ is_changed('membership_id', changed_keys('membership__membership')) }}
-- depends_on: {{ ref('changed_company') }}
