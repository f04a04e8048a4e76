with latest as (
    {{ latest_version('engagement', 'website_day', ['date_day'], tie_break='delivered_at desc') }}
)

select
    date_day,
    visits,
    logins,
    page_views,
    downloads
from latest
