-- Each respondent's answer to a question is valid, not applicable, blank or invalid; the mart has all of the fact.
select kpi.*
from {{ ref('kpi_satisfaction') }} as kpi
full join (
    select
        wave_code,
        question_code,
        count(*) as answers
    from {{ ref('fct_survey_response') }}
    group by 1, 2
) as fact on kpi.wave_code = fact.wave_code and kpi.question_code = fact.question_code
where
    fact.answers is distinct from kpi.respondents
    or kpi.respondents <> kpi.valid_answers + kpi.not_applicable_answers + kpi.blank_answers + kpi.invalid_answers
