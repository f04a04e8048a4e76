{#- A table that stands, for a view made anew takes along all that read it, and those are not made again each night. -#}
{{ config(
    materialized='incremental',
    full_refresh=false,
    pre_hook="{% if is_incremental() %}delete from {{ this }}{% endif %}"
) }}
-- The only place that says which night it is. It comes from the environment and not from --vars, because dbt parses
-- the whole project anew whenever a var changes, and this one changes every night.
select '{{ env_var("CRW_BUSINESS_DATE") }}'::date as business_date
