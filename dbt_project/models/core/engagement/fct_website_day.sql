select
    date_day,
    visits,
    logins,
    page_views,
    downloads
from {{ ref('stg_engagement__website_day') }}
