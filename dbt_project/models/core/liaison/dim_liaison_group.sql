select
    group_code,
    name_en,
    name_zh,
    founded_on,
    wound_up_on
from {{ ref('stg_liaison__group') }}
where founded_on is not null
