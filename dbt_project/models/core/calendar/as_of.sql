select
    night.business_date,
    exists (
        select 1
        from {{ ref('stg_overtaken') }} as overtaken
        where overtaken.business_date = night.business_date
    ) as is_overtaken
from {{ ref('stg_night') }} as night
