{{ config(
    materialized='incremental',
    indexes=[{'columns': ['_stated_account_manager_id']}],
    pre_hook="{{ forget_changed('company_id', changed_companies()) }}",
    post_hook="analyze {{ this }}"
) }}

with contact as (
    select
        company_id,
        count(*) as contacts,
        count(*) filter (where marketing_consent) as contacts_with_consent
    from {{ ref('dim_contact') }}
    where {{ is_changed('company_id', changed_companies()) }}
    group by 1
)

select
    company.company_id,
    company.company_name,
    company.industry_code,
    company.size_band,
    company.district_code,
    manager.account_manager_id,
    manager.team as account_manager_team,
    company.registered_on,
    coalesce(contact.contacts, 0)::integer as contacts,
    coalesce(contact.contacts_with_consent, 0)::integer as contacts_with_consent,
    company.account_manager_id as _stated_account_manager_id
from {{ ref('stg_membership__company') }} as company
left join {{ ref('stg_membership__account_manager') }} as manager
    on company.account_manager_id = manager.account_manager_id
left join contact on company.company_id = contact.company_id
where {{ is_changed('company.company_id', changed_companies()) }}
-- depends_on: {{ ref('changed_membership_spell') }}, {{ ref('changed_feedback_count') }}
