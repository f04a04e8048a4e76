{# Without statistics PostgreSQL takes the one night for 2,550. #}
{{ config(post_hook="analyze {{ this }}") }}

select
    night.business_date,
    night.business_date in (
        select overtaken.business_date
        from {{ ref('stg_overtaken') }} as overtaken
    ) as is_overtaken
from {{ ref('stg_night') }} as night
