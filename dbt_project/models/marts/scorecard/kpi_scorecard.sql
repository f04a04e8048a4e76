-- It reads marts, as the reconciliation with print does: a headline is its mart's figure, never a second computation.
with night as (
    select business_date from {{ ref('as_of') }}
),

month as (
    select
        month.period,
        month.period_start,
        month.period_end,
        month.fiscal_year,
        before.period as period_before,
        before.fiscal_year as fiscal_year_before
    from {{ ref('dim_period') }} as month
    inner join {{ ref('dim_period') }} as before
        on month.period_year_before = before.period and before.period_basis = 'month'
    where month.period_basis = 'month' and month.period_start <= (select business_date from night)
),

cell as (
    {%- for of_mart in scorecard_marts() %}
    select
        '{{ of_mart.mart }}' as mart,
        figure.kpi,
        figure.rolls,
        mart.period_basis,
        mart.period,
        mart.period_start,
        mart.period_end,
        bool_and(mart.is_complete) as is_complete,
        case
            when figure.rolls <> 'own' or count(*) in (1, count(figure.denominator)) then sum(figure.numerator)
        end as numerator,
        case when figure.rolls = 'shared' then max(figure.denominator) else sum(figure.denominator) end as denominator
    from {{ ref(of_mart.mart) }} as mart
    cross join lateral (
        values
        {%- for kpi, condition, numerator, denominator, rolls in of_mart.kpis %}
        (
            '{{ kpi }}', {{ condition }}, ({{ numerator }})::numeric,
            ({{ denominator }})::numeric, '{{ rolls }}'
        ){{ ',' if not loop.last }}
        {%- endfor %}
    ) as figure (kpi, is_meant, numerator, denominator, rolls)
    where
        {{ of_mart.rows }}
        and figure.is_meant
        {%- if of_mart.is_known != 'true' %}
        and exists (
            select from {{ ref(of_mart.mart) }}
            where {{ of_mart.is_known }}
        )
        {%- endif %}
    group by
        figure.kpi, figure.rolls, mart.period_basis, mart.period, mart.period_start, mart.period_end
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- The months of a year so far, and the last twelve: of whole months, for marts know no shorter time. Materialized, for
-- PostgreSQL would make them again for each cell.
span as materialized (
    select
        'fiscal_year_to_date' as period_basis,
        month.fiscal_year || ' to ' || month.period as period,
        year.period_start,
        month.period_end,
        month.period_start as last_month_start,
        month.fiscal_year_before || ' to ' || month.period_before as period_before
    from month
    inner join {{ ref('dim_period') }} as year
        on month.fiscal_year = year.period and year.period_basis = 'fiscal_year'
    union all
    select
        'rolling_12_months',
        '12 months to ' || month.period,
        (month.period_start - interval '11 months')::date,
        month.period_end,
        month.period_start,
        '12 months to ' || month.period_before
    from month
    where month.period_end <= (select business_date from night)
),

known as (
    select
        mart,
        min(period_start) as first_day
    from cell
    where is_complete
    group by mart
),

rolled as (
    select
        cell.kpi,
        span.period_basis,
        span.period,
        span.period_start,
        span.period_end,
        span.period_end <= (select business_date from night) as is_complete,
        case
            when cell.rolls = 'last'
                then max(cell.numerator) filter (where cell.period_start = span.last_month_start)
            when cell.rolls <> 'whole' or count(*) = count(cell.numerator) then sum(cell.numerator)
        end as numerator,
        case cell.rolls
            when 'last' then max(cell.denominator) filter (where cell.period_start = span.last_month_start)
            when 'flow' then max(cell.denominator) filter (where cell.period_start = span.period_start)
            when 'whole' then case when count(*) = count(cell.denominator) then sum(cell.denominator) end
            else sum(cell.denominator)
        end as denominator,
        span.period_before
    from span
    inner join cell on cell.period_start between span.period_start and span.last_month_start
    inner join known on cell.mart = known.mart and span.period_start >= known.first_day
    where cell.period_basis = 'month' and cell.rolls in ('sum', 'last', 'flow', 'whole')
    group by
        cell.kpi, cell.rolls, span.period_basis, span.period, span.period_start, span.period_end, span.period_before
),

-- A wave of half a year speaks for no year, and of two that speak for the same neither does.
wave as (
    select
        mart.*,
        count(*) over (partition by mart.question_code, mart.period_basis, mart.period) = 1 as is_alone
    from {{ ref('kpi_satisfaction') }} as mart
    where mart.period_end + 1 = mart.period_start + interval '1 year'
),

figure as (
    select
        cell.kpi,
        cell.period_basis,
        cell.period,
        cell.period_start,
        cell.period_end,
        cell.is_complete,
        cell.numerator,
        cell.denominator,
        null::numeric as n_effective,
        cell.period_basis as period_basis_before,
        period.period_year_before as period_before
    from cell
    inner join {{ ref('dim_period') }} as period
        on cell.period_basis = period.period_basis and cell.period = period.period
    union all
    select
        kpi,
        period_basis,
        period,
        period_start,
        period_end,
        is_complete,
        numerator,
        denominator,
        null as n_effective,
        period_basis as period_basis_before,
        period_before
    from rolled
    union all
    -- A wave is compared with the one before, as in its mart, which may be of another basis but as long a year.
    select
        'satisfaction_' || wave.question_code,
        wave.period_basis,
        wave.period,
        wave.period_start,
        wave.period_end,
        wave.period_end <= (select business_date from night),
        wave.top_box_weight_sum,
        wave.weight_sum,
        wave.n_eff,
        before.period_basis as period_basis_before,
        before.period as period_before
    from wave
    left join wave as before
        on wave.wave_before = before.wave_code and wave.question_code = before.question_code and before.is_alone
    where wave.is_alone
    union all
    select distinct
        'survey_response_share',
        wave.period_basis,
        wave.period,
        wave.period_start,
        wave.period_end,
        wave.period_end <= (select business_date from night),
        wave.completes::numeric,
        wave.eligible_sample::numeric,
        null::numeric,
        before.period_basis as period_basis_before,
        before.period as period_before
    from wave
    left join wave as before
        on wave.wave_before = before.wave_code and wave.question_code = before.question_code and before.is_alone
    where wave.is_alone and wave.question_code = 'overall'
    union all
    -- The first anniversaries of those who joined a year before.
    select
        'retention_first_year_share',
        reached.period_basis,
        reached.period,
        reached.period_start,
        reached.period_end,
        true,
        cohort.retained,
        cohort.joined,
        null,
        reached.period_basis as period_basis_before,
        reached.period_year_before as period_before
    from {{ ref('kpi_membership_retention') }} as cohort
    inner join {{ ref('dim_period') }} as reached
        on cohort.cohort_fiscal_year = reached.period_year_before and reached.period_basis = 'fiscal_year'
    where cohort.club_code = 'any' and cohort.years_since_joining = 1
),

valued as (
    select
        kpi.*,
        figure.period_basis,
        figure.period,
        figure.period_start,
        figure.period_end,
        figure.is_complete,
        figure.numerator,
        figure.denominator,
        figure.n_effective,
        figure.period_basis_before,
        figure.period_before,
        case when kpi.unit = 'per_million' then 1000000::numeric else 1 end as scale,
        case
            when kpi.unit = 'per_million' then {{ share('1000000 * figure.numerator', 'figure.denominator') }}
            when kpi.unit in ('share', 'ratio') or figure.denominator is not null
                then {{ share('figure.numerator', 'figure.denominator') }}
            else {{ rate('figure.numerator') }}
        end as value,
        nullif(coalesce(figure.n_effective, figure.denominator), 0) as n
    from figure
    inner join {{ ref('kpi') }} as kpi on figure.kpi = kpi.kpi
),

bounded as (
    select
        *,
        {%- for sign, bound in [('-', 'value_low'), ('+', 'value_high')] %}
        case
            when interval_method = 'wilson' and value between 0 and 1 then {{ wilson('value', 'n', sign) }}
            when interval_method = 'poisson' and value is not null
                then {{ rate('scale * (' ~ byar('numerator', sign) ~ ') / coalesce(denominator, 1)') }}
            when interval_method = 'poisson_ratio'
                then {{ rate('1 + (' ~ ratio_change_pct('numerator', 'denominator', sign) ~ ') / 100') }}
        end as {{ bound }}{{ ',' if not loop.last }}
        {%- endfor %}
    from valued
),

compared as (
    select
        now.*,
        before.period as period_compared,
        before.period_basis as period_basis_compared,
        before.value as value_before,
        case now.change_kind
            when 'pct' then {{ change_pct('now.value', 'before.value') }}
            when 'pp' then {{ rate('100 * (now.value - before.value)') }}
        end as change,
        -- Of two shares: R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, method 10.
        {%- for sign, bound, of_now, of_before in [
            ('-', 'change_low', 'now.value - now.value_low', 'before.value_high - before.value'),
            ('+', 'change_high', 'now.value_high - now.value', 'before.value - before.value_low'),
        ] %}
        case
            when now.value is null or before.value is null then null
            when now.interval_method = 'wilson' then {{ rate(
                '100 * (now.value - before.value ' ~ sign ~ ' sqrt((' ~ of_now ~ ') ^ 2 + (' ~ of_before ~ ') ^ 2))'
            ) }}
            when now.interval_method = 'poisson' then {{ rate('100 * (' ~ rate_ratio_bound(
                'now.numerator', 'before.numerator',
                'coalesce(now.denominator, 1)', 'coalesce(before.denominator, 1)', sign
            ) ~ ') - 100') }}
        end as {{ bound }}{{ ',' if not loop.last }}
        {%- endfor %}
    from bounded as now
    left join bounded as before
        on
            now.kpi = before.kpi
            and now.period_basis_before = before.period_basis
            and now.period_before = before.period
            and now.is_complete
            and before.is_complete
)

select
    compared.kpi,
    compared.area,
    compared.sort_order,
    compared.name_en,
    compared.name_zh,
    compared.unit,
    compared.number_format,
    compared.good_direction,
    compared.period_basis,
    compared.period,
    compared.period_start,
    compared.period_end,
    {{ fiscal_year('compared.period_end') }} as fiscal_year,
    compared.is_complete,
    compared.is_complete and compared.period_end = max(compared.period_end) filter (where compared.is_complete)
        over (partition by compared.kpi, compared.period_basis) as is_latest,
    compared.is_complete and compared.value is not null and row_number() over (
        partition by compared.kpi
        order by
            compared.is_complete and compared.value is not null desc,
            -- The year so far, else a whole year (a survey's wave speaks for one), else what there is.
            case compared.period_basis
                when 'fiscal_year_to_date' then 1 when 'fiscal_year' then 2 when 'calendar_year' then 2 else 3
            end asc,
            compared.period_end desc,
            compared.period_start desc
    ) = 1 as is_headline,
    night.business_date,
    compared.value,
    compared.numerator,
    compared.denominator,
    compared.n_effective,
    compared.interval_method,
    compared.value_low,
    compared.value_high,
    compared.period_basis_compared,
    compared.period_compared,
    compared.value_before,
    compared.change_kind,
    compared.change,
    compared.change_low,
    compared.change_high,
    case
        when compared.value is not null and compared.value_before is not null
            and num_nonnulls(compared.change_low, compared.change_high) > 0
            then coalesce(compared.change_low > 0, false) or coalesce(compared.change_high < 0, false)
    end as is_change_significant,
    target.target,
    case compared.good_direction
        when 'up' then compared.value >= target.target
        when 'down' then compared.value <= target.target
    end as is_on_target,
    case
        when compared.unit = 'share' then {{ rate('printed.published / 100') }} else printed.published
    end as published,
    printed.comparator as published_comparator,
    printed.agrees as published_agrees
from compared
cross join night
left join {{ ref('published_vs_computed') }} as printed
    on
        compared.kpi = printed.kpi
        and compared.period_basis = printed.period_basis
        and compared.period = printed.period
left join lateral (
    select kpi_target.target
    from {{ ref('kpi_target') }} as kpi_target
    where compared.kpi = kpi_target.kpi and compared.period_start >= kpi_target.valid_from
    order by kpi_target.valid_from desc
    limit 1
) as target on true
