-- In every period of every basis, by kind, service and issue, and every count.
with made_of_months as (
    select
        period.period_basis,
        period.period,
        cube.kind,
        cube.service_code,
        cube.issue_code
        {%- for count in feedback_counts() %},
        sum(cube.{{ count }}) as {{ count }}
        {%- endfor %}
    from {{ ref('dim_feedback_period') }} as period
    inner join {{ ref('feedback_cube') }} as cube
        on cube.period_start between period.period_start and period.period_end
    group by period.period_basis, period.period, cube.kind, cube.service_code, cube.issue_code
)

select
    coalesce(mart.period_basis, added.period_basis) as period_basis,
    coalesce(mart.period, added.period) as period,
    coalesce(mart.kind, added.kind) as kind
from (
    select * from {{ ref('kpi_feedback') }}
    where level = 'issue'
) as mart
full join made_of_months as added
    on
        mart.period_basis = added.period_basis
        and mart.period = added.period
        and mart.kind = added.kind
        and mart.service_code = added.service_code
        and mart.issue_code = added.issue_code
where
    false
    {%- for count in feedback_counts() %}
    or coalesce(mart.{{ count }}, 0) <> coalesce(added.{{ count }}, 0)
    {%- endfor %}
