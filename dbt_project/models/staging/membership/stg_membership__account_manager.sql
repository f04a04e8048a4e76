with latest as (
    {{ latest_version('membership', 'account_manager', [trimmed('account_manager_id')]) }}
)

select
    _key as account_manager_id,
    {{ trimmed('team') }} as team,
    active_from,
    active_to
from latest
