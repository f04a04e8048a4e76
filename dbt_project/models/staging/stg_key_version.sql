{%- set keys = {
    ('feedback', 'cases'): 'case_no', ('feedback', 'case_event'): 'event_id::text', ('feedback', 'category'): 'category_code',
    ('feedback', 'post_office'): 'post_office_code', ('membership', 'company'): 'company_id',
    ('membership', 'membership'): 'membership_id', ('membership', 'contact'): 'contact_id',
    ('membership', 'account_manager'): 'account_manager_id', ('survey', 'delivery'): 'delivery_id',
    ('survey', 'question'): 'delivery_id', ('survey', 'respondent'): 'delivery_id',
} -%}
{%- for table, key in keys.items() %}
select
    '{{ table[0] }}__{{ table[1] }}' as relation,
    {{ trimmed(key) }} as key,
    _business_date,
    _load_id
from {{ source(table[0], table[1]) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
