-- A view, so that publishing copies what the ledger holds at that moment: how the night's own marts passed is in it.
{{ config(materialized='view') }}

with night as (
    select business_date from {{ ref('as_of') }}
),

attempt as (
    select
        load.load_id,
        load.source,
        load.table_name,
        load.business_date,
        load.state,
        load.rows_read,
        load.rows_published,
        load.rows_unchanged,
        load.rows_quarantined,
        load.rows_at_source,
        load.rows_in_raw,
        load.rows_vanished,
        load.rows_found_late,
        load.started_at,
        load.landed_at,
        load.validated_at,
        load.published_at
    from {{ source('audit', 'load') }} as load
    cross join night
    where load.business_date <= night.business_date
),

-- The load of a table that a night ended with.
load as (
    select distinct on (source, table_name, business_date) *
    from attempt
    where state = 'published'
    order by source asc, table_name asc, business_date asc, load_id desc
),

tried as (
    select max(load_id) as load_id
    from attempt
    group by source, table_name, business_date
),

rule as (
    select
        case when result.load_id is null then 'marts' else split_part(result.suite, '/', 2) end as source,
        split_part(result.suite, '/', -1) as table_name,
        result.*
    from {{ source('audit', 'rule_result') }} as result
    inner join (
        select
            suite,
            business_date,
            max(validation_id) as validation_id
        from {{ source('audit', 'rule_result') }}
        group by suite, business_date
    ) as newest on result.validation_id = newest.validation_id
),

publication as (
    select distinct on (mart, business_date) *
    from {{ source('audit', 'publication') }}
    order by mart asc, business_date asc, publication_id desc
),

waiting as (
    select
        night.business_date as night,
        refusal.source,
        refusal.table_name,
        refusal.rule,
        refusal.severity,
        case
            when night.business_date - refusal.business_date <= 7 then '0-7'
            when night.business_date - refusal.business_date <= 30 then '8-30'
            when night.business_date - refusal.business_date <= 90 then '31-90'
            else 'over 90'
        end as age_band
    from {{ source('audit', 'refusal') }} as refusal
    cross join night
    where refusal.released_at is null and refusal.business_date <= night.business_date
),

told as (
    select
        load.business_date as night,
        load.source,
        load.table_name,
        figure.measure,
        figure.detail,
        'all' as severity,
        'all' as age_band,
        figure.value::numeric as value,
        figure.unit
    from load
    cross join lateral (
        values
            ('rows_read', 'all', load.rows_read, 'rows'),
            ('rows_published', 'all', load.rows_published, 'rows'),
            ('rows_unchanged', 'all', load.rows_unchanged, 'rows'),
            ('rows_quarantined', 'all', load.rows_quarantined, 'rows'),
            ('duration', 'extract', extract(epoch from load.landed_at - load.started_at), 'seconds'),
            ('duration', 'validate', extract(epoch from load.validated_at - load.landed_at), 'seconds'),
            ('duration', 'publish', extract(epoch from load.published_at - load.validated_at), 'seconds')
    ) as figure (measure, detail, value, unit)
    union all
    -- What all that the source has was held against, on the nights on which it was.
    select
        load.business_date as night,
        load.source,
        load.table_name,
        figure.measure,
        'all' as detail,
        'all' as severity,
        'all' as age_band,
        figure.value,
        'rows' as unit
    from load
    cross join lateral (
        values
            ('rows_at_source', load.rows_at_source), ('rows_in_raw', load.rows_in_raw),
            ('rows_vanished', load.rows_vanished), ('rows_found_late', load.rows_found_late)
    ) as figure (measure, value)
    where figure.value is not null
    union all
    select
        business_date as night,
        source,
        table_name,
        'loads' as measure,
        state as detail,
        'all' as severity,
        'all' as age_band,
        count(*) as value,
        'loads' as unit
    from attempt
    group by business_date, source, table_name, state
    union all
    -- By the last load tried: what a date that ran again had refused before it refused once more.
    select
        refusal.business_date as night,
        refusal.source,
        refusal.table_name,
        'rows_refused' as measure,
        refusal.rule as detail,
        refusal.severity,
        'all' as age_band,
        count(*) as value,
        'rows' as unit
    from {{ source('audit', 'refusal') }} as refusal
    inner join tried on refusal.load_id = tried.load_id
    group by refusal.business_date, refusal.source, refusal.table_name, refusal.rule, refusal.severity
    union all
    -- What was refused by the business date and is not settled.
    select
        night,
        source,
        table_name,
        'rows_waiting' as measure,
        rule as detail,
        severity,
        age_band,
        count(*) as value,
        'rows' as unit
    from waiting
    group by night, source, table_name, rule, severity, age_band
    union all
    select
        business_date as night,
        source,
        table_name,
        'rules' as measure,
        case when success then 'passed' else 'failed' end as detail,
        severity,
        'all' as age_band,
        count(*) as value,
        'rules' as unit
    from rule
    group by business_date, source, table_name, success, severity
    union all
    select
        business_date as night,
        source,
        table_name,
        'rows_failing' as measure,
        rule as detail,
        severity,
        'all' as age_band,
        unexpected as value,
        'rows' as unit
    from rule
    where not success
    union all
    select
        business_date as night,
        'marts' as source,
        mart as table_name,
        'rows_published' as measure,
        'all' as detail,
        'all' as severity,
        'all' as age_band,
        row_count as value,
        'rows' as unit
    from publication
    union all
    -- From the last load's publication to that of the marts: dbt, their suites, and the swap.
    select
        publication.business_date as night,
        'marts' as source,
        'all' as table_name,
        'duration' as measure,
        'build, validate and publish' as detail,
        'all' as severity,
        'all' as age_band,
        extract(epoch from max(publication.published_at) - (
            select max(attempt.published_at)
            from attempt
            where attempt.published_at < max(publication.published_at)
        )) as value,
        'seconds' as unit
    from publication
    group by publication.business_date
    union all
    -- From the first load's start to the marts' publication. What a date's loads did on another day is none of it.
    select
        publication.business_date as night,
        'all' as source,
        'all' as table_name,
        'night_duration' as measure,
        'all' as detail,
        'all' as severity,
        'all' as age_band,
        extract(epoch from publication.published_at - min(attempt.started_at)) as value,
        'seconds' as unit
    from (
        select
            business_date,
            max(published_at) as published_at
        from publication
        group by business_date
    ) as publication
    inner join attempt
        on
            publication.business_date = attempt.business_date
            and publication.published_at > attempt.started_at
            and publication.published_at - interval '1 day' < attempt.started_at
    group by publication.business_date, publication.published_at
    union all
    -- Of every table that was ever loaded, so that one of which nothing comes any more is seen.
    select
        night.business_date as night,
        load.source,
        load.table_name,
        'age' as measure,
        figure.detail,
        'all' as severity,
        'all' as age_band,
        figure.value,
        'days' as unit
    from night
    cross join (
        select
            source,
            table_name,
            max(business_date) as loaded_on,
            max(business_date) filter (where rows_published > 0) as changed_on
        from attempt
        where state = 'published'
        group by source, table_name
    ) as load
    cross join lateral (
        values
            ('last loaded', (night.business_date - load.loaded_on)::numeric),
            ('last new or amended rows', night.business_date - load.changed_on)
    ) as figure (detail, value)
    union all
    select
        business_date as night,
        dag_id as source,
        'all' as table_name,
        'late_runs' as measure,
        'all' as detail,
        'all' as severity,
        'all' as age_band,
        count(*) as value,
        'runs' as unit
    from {{ source('audit', 'late_run') }}
    group by business_date, dag_id
)

select
    told.night,
    {{ fiscal_year('told.night') }} as fiscal_year,
    told.night = night.business_date as is_latest,
    night.business_date,
    told.source,
    told.table_name,
    told.measure,
    told.detail,
    told.severity,
    told.age_band,
    told.value,
    told.unit
from told
cross join night
where told.night <= night.business_date and told.night > night.business_date - {{ var('health_days') }}
