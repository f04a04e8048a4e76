select
    changed_by,
    relation,
    business_date,
    load_id,
    {{ trimmed('key') }} as key
from {{ source('audit', 'raw_change') }}
