-- The one mart that reads marts: what is compared with print is what readers see, not a second computation of it.
with computed as (
    select
        period_basis,
        period,
        kpi.name,
        kpi.value
    from {{ ref('kpi_feedback') }}
    cross join lateral (
        values
            (case when level = 'kind' then kind || 's' else kind || 's_' || service_code end, received::numeric),
            (case when level = 'kind' then kind || 's_change_pct' end, received_change_pct)
    ) as kpi (name, value)
    where is_complete and level in ('kind', 'service')
    union all
    select
        period_basis,
        period,
        'members',
        members
    from {{ ref('kpi_membership') }}
    where is_complete and club_code = 'any'
    union all
    -- A wave of half a year speaks for no year; where two waves speak for the same, neither is the one printed.
    select
        period_basis,
        period,
        'satisfaction_' || question_code,
        case when count(*) = 1 then max({{ rate('100 * top_box_share') }}) end
    from {{ ref('kpi_satisfaction') }}
    where period_end + 1 = period_start + interval '1 year'
    group by 1, 2, 3
    union all
    select
        period_basis,
        period,
        'liaison_' || kpi.name,
        kpi.value
    from {{ ref('kpi_liaison') }}
    cross join lateral (
        values ('groups', liaison_groups), ('members', members), ('meetings', meetings), ('topics', topics)
    ) as kpi (name, value)
    where is_complete and group_code = 'all' and constituency = 'all'
)

select
    figure.fiscal_year,
    figure.kpi,
    figure.period_basis,
    figure.period,
    figure.published,
    figure.comparator,
    figure.tolerance,
    computed.value as computed,
    case
        when figure.comparator in ('exact', 'about')
            then round(computed.value / figure.tolerance) * figure.tolerance = figure.published
        when figure.comparator = 'below'
            then computed.value <= figure.published and computed.value >= figure.published - figure.tolerance
        when figure.comparator = 'over'
            then computed.value > figure.published and computed.value < figure.published + figure.tolerance
    end as agrees
from {{ ref('published_figure') }} as figure
left join computed
    on
        figure.period_basis = computed.period_basis
        and figure.period = computed.period
        and figure.kpi = computed.name
