{{ config(
    materialized='incremental',
    indexes=[{'columns': ['company_id']}],
    pre_hook="{{ forget_changed('contact_id', changed_keys('membership__contact')) }}",
    post_hook="analyze {{ this }}"
) }}

select
    contact_id,
    company_id,
    marketing_consent
from {{ ref('stg_membership__contact') }}
where {{ is_changed('contact_id', changed_keys('membership__contact')) }}
-- depends_on: {{ ref('changed_company') }}
