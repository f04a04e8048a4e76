-- Everything that a company and its membership are made of. And what lay ahead of the last business date and has come
-- to pass.
{%- set records = {
    'stg_membership__membership': ('fct_membership_record', 'membership_id', 'membership__membership'),
    'stg_membership__contact': ('dim_contact', 'contact_id', 'membership__contact'),
} %}
select key as company_id
from {{ ref('changed_key') }}
where relation = 'membership__company'
{%- for staging, (record, key, relation) in records.items() %}
union
select company_id
from {{ ref(staging) }}
where {{ key }} = any(array({{ changed_keys(relation) }})) and company_id is not null
{%- if goes_on() %}
union
select company_id
from {{ former(record) }}
where {{ key }} = any(array({{ changed_keys(relation) }})) and company_id is not null
{%- endif %}
{%- endfor %}
{%- if goes_on() %}
union
select company_id
from {{ former('dim_customer') }}
where _stated_account_manager_id = any(array({{ changed_keys('membership__account_manager') }}))
{%- for day in ['valid_from', 'valid_to'] %}
union
select spell.company_id
from {{ former('dim_membership') }} as spell
where
    spell.{{ day }} > (select since_date from {{ ref('build') }})
    and spell.{{ day }} <= (select business_date from {{ ref('build') }})
{%- endfor %}
{%- endif %}
-- depends_on: {{ ref('build') }}
