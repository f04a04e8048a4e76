with latest as (
    {{ latest_version('membership', 'membership', [trimmed('membership_id')]) }}
)

select
    _key as membership_id,
    {{ trimmed('company_id') }} as company_id,
    {{ code('club', 'club_code') }} as club_code,
    joined_on,
    left_on,
    {{ trimmed('leave_reason') }} as leave_reason
from latest
