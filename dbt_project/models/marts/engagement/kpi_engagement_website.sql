with counted as (
    select
        period.period_basis,
        period.period,
        period.period_start,
        period.period_end,
        period.is_complete,
        count(*) as days,
        sum(site.visits) as visits,
        sum(site.logins) as logins,
        sum(site.page_views) as page_views,
        sum(site.downloads) as downloads
    from ({{ period_of_fact(ref('fct_website_day'), 'date_day') }}) as period
    inner join {{ ref('fct_website_day') }} as site
        on site.date_day between period.period_start and period.period_end
    group by period.period_basis, period.period, period.period_start, period.period_end, period.is_complete
)

select
    period_basis,
    period,
    period_start,
    period_end,
    is_complete,
    days::integer as days,
    visits,
    logins,
    page_views,
    downloads,
    {{ share('logins', 'visits') }} as login_share,
    {{ share('page_views', 'visits') }} as pages_per_visit
from counted
