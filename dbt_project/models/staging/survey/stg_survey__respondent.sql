with latest as (
    {{ latest_version('survey', 'respondent', ['delivery_id', 'respondent_id']) }}
)

select
    delivery_id,
    respondent_id,
    interviewed_on,
    weight,
    is_weighted,
    is_complete,
    {{ code('respondent_segment', 'segment') }} as segment,
    {{ code('language', 'language') }} as language,
    {{ district_code('district_code') }} as district_code,
    {{ trimmed('consented_company_id') }} as consented_company_id,
    answers,
    _load_id
from latest
