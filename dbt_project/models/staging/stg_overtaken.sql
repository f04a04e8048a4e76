select
    business_date,
    source,
    table_name,
    rows_amended_since
from {{ source('audit', 'overtaken') }}
