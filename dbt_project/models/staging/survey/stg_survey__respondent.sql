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
    {{ stated(code('segment')) }} as segment,
    {{ stated(code('language')) }} as language,
    upper({{ trimmed('district_code') }}) as district_code,
    {{ trimmed('consented_company_id') }} as consented_company_id,
    answers,
    _load_id
from latest
