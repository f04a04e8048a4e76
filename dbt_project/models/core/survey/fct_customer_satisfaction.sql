select
    wave.wave_code,
    respondent.respondent_id,
    customer.company_id,
    coalesce(respondent.interviewed_on, wave.fieldwork_end, wave.period_end) as answered_on,
    response.is_top_box as is_satisfied
from {{ ref('stg_survey__respondent') }} as respondent
inner join {{ ref('dim_survey_wave') }} as wave on respondent.delivery_id = wave.delivery_id
inner join {{ ref('dim_customer') }} as customer on respondent.consented_company_id = customer.company_id
inner join {{ ref('fct_survey_response') }} as response
    on wave.wave_code = response.wave_code and respondent.respondent_id = response.respondent_id
where response.question_code = 'overall' and response.answer_status = 'valid'
