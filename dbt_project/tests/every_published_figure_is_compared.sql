select
    figure.fiscal_year,
    figure.kpi
from {{ ref('published_figure') }} as figure
full join {{ ref('published_vs_computed') }} as compared
    on figure.fiscal_year = compared.fiscal_year and figure.kpi = compared.kpi
where figure.kpi is null or compared.kpi is null
