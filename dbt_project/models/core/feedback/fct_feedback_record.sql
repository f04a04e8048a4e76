{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed('case_no', amended_cases()) }}",
    post_hook="analyze {{ this }}"
) }}

select
    case_no,
    category_code,
    service_code,
    channel_code,
    received_at,
    received_on,
    closed_at,
    status,
    outcome,
    raw.typed_date(incident_date_text) as incident_on,
    post_office_code,
    district_code,
    company_id,
    person_key,
    language,
    is_anonymous
from {{ ref('stg_feedback__case') }}
where {{ is_changed('case_no', amended_cases()) }}
