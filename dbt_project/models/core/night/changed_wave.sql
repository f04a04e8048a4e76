{%- set changed_deliveries -%}
    select key from {{ ref('changed_key') }}
    where relation in ('survey__delivery', 'survey__question', 'survey__respondent')
{%- endset -%}

select wave_code
from {{ ref('stg_survey__delivery') }}
where delivery_id = any(array({{ changed_deliveries }})) and wave_code is not null
{%- if goes_on() %}
union
select wave_code
from {{ former('dim_survey_wave') }}
where delivery_id = any(array({{ changed_deliveries }}))
{%- endif %}
