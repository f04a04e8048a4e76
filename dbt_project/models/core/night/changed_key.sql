-- New is what the last build's snapshot did not see, and what lay ahead of its business date.
with change as (
    select
        change.relation,
        change.business_date,
        change.load_id,
        change.key
    from {{ ref('stg_raw_change') }} as change
    inner join {{ ref('build') }} as build
        on
            build.goes_on
            and change.business_date <= build.business_date
            and (
                change.business_date > build.since_date
                or not pg_visible_in_snapshot(change.changed_by, build.since_snapshot::pg_snapshot)
            )
)

{#- Of each table the first column of its key: a delivery for all that belongs to it. Read in raw itself, for staging
    knows the latest versions only, and a view of all versions is read whole where raw is distributed: no condition
    reaches into it there. #}
{%- for (source_name, table), key in {
    ('feedback', 'cases'): 'case_no', ('feedback', 'case_event'): 'event_id::text', ('feedback', 'category'): 'category_code',
    ('feedback', 'post_office'): 'post_office_code', ('membership', 'company'): 'company_id',
    ('membership', 'membership'): 'membership_id', ('membership', 'contact'): 'contact_id',
    ('membership', 'account_manager'): 'account_manager_id', ('survey', 'delivery'): 'delivery_id',
    ('survey', 'question'): 'delivery_id', ('survey', 'respondent'): 'delivery_id',
}.items() %}
{%- set relation = source_name ~ '__' ~ table %}
{%- set loads = " from change where relation = '" ~ relation ~ "'" %}
{#- The dates, beside the load, keep PostgreSQL from reading the months that brought nothing. #}
select
    '{{ relation }}' as relation,
    {{ trimmed(key) }} as key
from {{ source(source_name, table) }}
where
    _load_id = any(array({{ 'select load_id' ~ loads }}))
    and {{ trimmed(key) }} is not null
    and _business_date >= ({{ 'select min(business_date)' ~ loads }})
    and _business_date <= ({{ 'select max(business_date)' ~ loads }})
union
{%- endfor %}
select
    relation,
    key
from change
where key is not null
