-- What was left unfinished, by another version of this project or by a later night, is not gone on from.
with last_build as (
    {% if execute and not flags.FULL_REFRESH and former('build') %}
        select
            business_date,
            known_until
        from {{ this }}
        where is_finished and project_version = '{{ env_var("CRW_PROJECT_VERSION", "") }}'
    {% else %}
        select
            null::date as business_date,
            null::text as known_until
    {% endif %}
)

select
    night.business_date,
    '{{ env_var("CRW_PROJECT_VERSION", "") }}'::text as project_version,
    pg_current_snapshot()::text as known_until,
    clock_timestamp() as built_at,
    last_build.business_date is not null as goes_on,
    last_build.business_date as since_date,
    last_build.known_until as since_snapshot,
    false as is_finished
from {{ ref('as_of') }} as night
left join last_build on night.business_date >= last_build.business_date
