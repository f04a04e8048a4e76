with latest as (
    {{ liaison_rows('group', ['lower(' ~ trimmed('record.group_code') ~ ')']) }}
)

select
    lower({{ trimmed('group_code') }}) as group_code,
    {{ trimmed('name_en') }} as name_en,
    {{ trimmed('name_zh') }} as name_zh,
    raw.typed_date(founded_on) as founded_on,
    raw.typed_date(wound_up_on) as wound_up_on
from latest
