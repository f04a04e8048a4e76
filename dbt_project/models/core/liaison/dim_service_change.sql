select
    change_no,
    issue_code,
    service_code,
    title,
    changed_on,
    origin_kind,
    origin_no
from {{ ref('stg_liaison__improvement') }}
-- Without an issue it can be held against no complaints.
where changed_on is not null and issue_code is not null
