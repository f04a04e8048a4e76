-- Both ways: a wave's fact has each respondent of its last delivery with each question, and no wave that is gone.
with respondent as (
    select
        delivery_id,
        count(*) as respondents
    from {{ ref('stg_survey__respondent') }}
    group by 1
),

question as (
    select
        delivery_id,
        count(*) as questions
    from {{ ref('stg_survey__question') }}
    group by 1
),

expected as (
    select
        delivery.wave_code,
        respondent.respondents * question.questions as answers
    from {{ ref('stg_survey__delivery') }} as delivery
    inner join respondent on delivery.delivery_id = respondent.delivery_id
    inner join question on delivery.delivery_id = question.delivery_id
    where delivery.is_latest
),

found as (
    select
        wave_code,
        count(*) as answers
    from {{ ref('fct_survey_response') }}
    group by 1
)

select *
from expected
full join found on expected.wave_code = found.wave_code
where expected.answers is distinct from found.answers
