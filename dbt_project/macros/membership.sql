{# Years that membership is broken down for, up to the business date; a running one as of that date. #}
{% macro membership_years() -%}
    select * from ({{ reported_period() }}) as period where period_basis in ('fiscal_year', 'calendar_year')
{%- endmacro %}

{# Anniversaries that whole cohorts of joining companies have reached by the business date. #}
{% macro reached_anniversaries() -%}
    select
        cohort.period as cohort_fiscal_year,
        cohort.period_start as cohort_start,
        cohort.period_end as cohort_end,
        years.years_since_joining,
        (cohort.period_end + make_interval(years => years.years_since_joining))::date as reached_on
    from {{ ref('dim_period') }} as cohort
    cross join {{ ref('as_of') }} as night
    cross join generate_series(1, 10) as years (years_since_joining)
    where
        cohort.period_basis = 'fiscal_year'
        and (cohort.period_end + make_interval(years => years.years_since_joining))::date <= night.business_date
{%- endmacro %}

{# Queries of the years and cohorts whose figures change, for is_changed and forget_changed. #}
{% macro changed_membership_years() -%}
    select (period_basis, period)::text from {{ ref('changed_membership_year') }} where has_changed
{%- endmacro %}

{% macro changed_cohorts() -%}
    select cohort_fiscal_year from {{ ref('changed_cohort') }}
{%- endmacro %}
