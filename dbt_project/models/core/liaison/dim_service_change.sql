select
    change_no,
    issue_code,
    service_code,
    title,
    changed_on,
    origin_kind,
    origin_no
from {{ ref('stg_liaison__improvement') }}
where changed_on is not null
