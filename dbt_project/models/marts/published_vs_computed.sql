-- The one mart that reads marts: what is compared with print is what readers see, not a second computation of it.
with kind as (
    select
        kind.code,
        named.kind
    from {{ ref('code_list') }} as kind
    cross join lateral (
        select kind.code
        union
        select kind.counts_as
    ) as named (kind)
    where kind.list = 'kind' and named.kind is not null
),

-- Of a kind by its code, and of all kinds that count as complaint or commendation by that name.
received as (
    select
        mart.period_basis,
        mart.period,
        mart.level,
        mart.service_code,
        kind.kind,
        sum(mart.received) as now,
        sum(mart.received_year_before) as before
    from {{ ref('kpi_feedback') }} as mart
    inner join kind on mart.kind = kind.code
    where mart.is_complete and mart.level in ('kind', 'service')
    group by 1, 2, 3, 4, 5
),

computed as (
    select
        received.period_basis,
        received.period,
        kpi.name,
        kpi.value
    from received
    cross join lateral (
        values
            (case when level = 'kind' then kind || 's' else kind || 's_' || service_code end, received.now::numeric),
            (
                case when level = 'kind' then kind || 's_change_pct' end,
                {{ change_pct('received.now', 'received.before') }}
            )
    ) as kpi (name, value)
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
