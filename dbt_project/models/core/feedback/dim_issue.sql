select
    code as issue_code,
    name_en,
    name_zh,
    sort_order
from {{ ref('code_list') }}
where list = 'issue'
