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

{%- for relation in [
    'feedback__cases', 'feedback__case_event', 'feedback__category', 'feedback__post_office', 'membership__company',
    'membership__membership', 'membership__contact', 'membership__account_manager', 'survey__delivery', 'survey__question',
    'survey__respondent',
] %}
{%- set loads = " from change where relation = '" ~ relation ~ "'" %}
{#- The dates, beside the load, keep PostgreSQL from reading the months that brought nothing. #}
select
    relation,
    key
from {{ ref('stg_key_version') }}
where
    relation = '{{ relation }}'
    and _load_id = any(array({{ 'select load_id' ~ loads }}))
    and key is not null
    and _business_date >= ({{ 'select min(business_date)' ~ loads }})
    and _business_date <= ({{ 'select max(business_date)' ~ loads }})
union
{%- endfor %}
select
    relation,
    key
from change
where key is not null
