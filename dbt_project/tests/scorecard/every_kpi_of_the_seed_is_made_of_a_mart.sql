-- A line of the seed that no mart speaks for would be a KPI that nobody ever sees. Those at the end stand in the model.
select kpi.kpi
from {{ ref('kpi') }} as kpi
where
    kpi.kpi not in (
        {%- for of_mart in scorecard_marts() %}
        {%- for figure in of_mart.kpis %}
        '{{ figure[0] }}',
        {%- endfor %}
        {%- endfor %}
        'survey_response_share', 'retention_first_year_share'
    )
    and kpi.kpi not like 'satisfaction\_%'
