{#- A table that stands, for a view made anew takes along all that read it, and those are not made again each night. -#}
{{ config(
    materialized='incremental',
    full_refresh=false,
    pre_hook="{% if is_incremental() %}delete from {{ this }}{% endif %}"
) }}
-- The only place that says which night it is. It comes from the environment and not from --vars, because dbt parses
-- the whole project anew whenever a var changes, and this one changes every night; nor is it read while dbt parses,
-- which would parse this model anew, and all that follows from it, for 1 s a night.
select '{{ env_var("CRW_BUSINESS_DATE") if execute else "infinity" }}'::date as business_date
