with day as (
    select day::date as date_day
    from generate_series('1989-04-01'::date, '2030-12-31'::date, interval '1 day') as day
),

holiday_year as (
    select
        min(date_trunc('year', holiday_date))::date as first_day,
        (max(date_trunc('year', holiday_date)) + interval '1 year')::date as day_after
    from {{ ref('public_holiday') }}
),

-- Outside the years whose holidays are known, whether a day is a working day is unknown, not "yes".
classified as (
    select
        day.date_day,
        holiday.name_en as holiday_name,
        case
            when day.date_day >= holiday_year.first_day and day.date_day < holiday_year.day_after
                then holiday.holiday_date is not null or extract(isodow from day.date_day) = 7
        end as is_public_holiday
    from day
    cross join holiday_year
    left join {{ ref('public_holiday') }} as holiday on day.date_day = holiday.holiday_date
),

worked as (
    select
        *,
        case
            when is_public_holiday is not null then not is_public_holiday and extract(isodow from date_day) < 6
        end as is_working_day
    from classified
)

select
    date_day,
    extract(year from date_day)::integer as year_number,
    extract(month from date_day)::integer as month_number,
    extract(isodow from date_day)::integer as iso_weekday,
    {{ period_name("'calendar_year'", 'date_day') }} as calendar_year,
    {{ period_name("'month'", 'date_day') }} as calendar_month,
    {{ period_name("'fiscal_year'", 'date_day') }} as fiscal_year,
    {{ period_name("'fiscal_quarter'", 'date_day') }} as fiscal_quarter,
    extract(month from date_day - interval '3 months')::integer as fiscal_month_number,
    is_public_holiday,
    holiday_name,
    is_working_day,
    case
        when is_working_day is not null
            then (count(*) filter (where is_working_day) over (order by date_day))::integer
    end as working_day_number
from worked
