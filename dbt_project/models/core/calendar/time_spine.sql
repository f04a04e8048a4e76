{{ config(materialized='view') }}

select
    day.date_day,
    day.fiscal_quarter,
    day.fiscal_year,
    day.calendar_year
from {{ ref('dim_date') }} as day
cross join {{ ref('as_of') }} as night
where day.date_day <= night.business_date
