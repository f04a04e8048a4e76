with latest as (
    {{ latest_version('campaign', 'account_assignment', [trimmed('account_assignment_id')]) }}
)

select
    {{ trimmed('account_assignment_id') }} as account_assignment_id,
    {{ trimmed('company_id') }} as company_id,
    {{ trimmed('staff_id') }} as staff_id,
    assigned_from,
    assigned_to
from latest
