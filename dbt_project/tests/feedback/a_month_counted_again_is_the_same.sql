-- What is kept by difference is counted anew from the cases, one month each night in turn: all of them would cost what there is.
{%- set features = feedback_features() | reject('in', ['post_office_code', 'size_band']) | list %}
{%- set columns = (['month_start'] + features + ['movements'] + feedback_counts()) | join(', ') %}
{%- set first_day = '(select month_start from month)' %}
with month as (
    select month_start
    from (
        select
            month_start,
            row_number() over (order by month_start) as place,
            count(*) over () as months
        from {{ ref('fct_feedback_month') }}
        group by month_start
    ) as known
    cross join {{ ref('as_of') }} as night
    where place = 1 + (night.business_date - date '2000-01-01') % months
),

counted as (
    {{ feedback_by_month(
        features, ref('fct_feedback_movement'), ref('fct_feedback_case'), ref('dim_customer'),
        '(select business_date from ' ~ ref('as_of') ~ ')',
        'movement.moved_on >= ' ~ first_day ~ ' and movement.moved_on < ' ~ first_day ~ " + interval '1 month'"
    ) }}
),

kept as (
    select {{ columns }}
    from {{ ref('fct_feedback_month_by_code') }}
    where month_start = {{ first_day }}
)

(select {{ columns }} from counted except select * from kept)
union all
(select * from kept except select {{ columns }} from counted)
