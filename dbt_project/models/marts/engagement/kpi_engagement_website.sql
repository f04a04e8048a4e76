with counted as (
    select
        period.period_basis,
        period.period,
        period.period_start,
        period.period_end,
        period.is_complete,
        least(period.period_end, night.business_date) - period.period_start + 1 as days_expected,
        count(*) as days_there,
        sum(site.visits) as visits,
        sum(site.logins) as logins,
        sum(site.page_views) as page_views,
        sum(site.downloads) as downloads
    from ({{ period_of_fact(ref('fct_website_day'), 'date_day') }}) as period
    inner join {{ ref('fct_website_day') }} as site
        on site.date_day between period.period_start and period.period_end
    cross join {{ ref('as_of') }} as night
    group by period.period_basis, period.period, period.period_start, period.period_end, period.is_complete,
        night.business_date
)

select
    period_basis,
    period,
    period_start,
    period_end,
    is_complete,
    days_expected,
    days_there::integer as days_there,
    visits,
    logins,
    page_views,
    downloads,
    {{ share('logins', 'visits') }} as login_share,
    {{ share('page_views', 'visits') }} as pages_per_visit
from counted
