select account.*
from {{ ref('dim_account') }} as account
inner join {{ ref('dim_account') }} as other
    on
        account.company_id = other.company_id
        and account.role = other.role
        and account.valid_from < other.valid_from
        and coalesce(account.valid_to, 'infinity') > other.valid_from
