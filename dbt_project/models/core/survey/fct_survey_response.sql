{{ config(
    materialized='incremental',
    indexes=[{'columns': ['wave_code']}],
    pre_hook="{{ forget_changed('wave_code', changed_waves()) }}",
    post_hook="analyze {{ this }}"
) }}

-- A wave is made anew, whole, when anything of it changed: another delivery, a row released from quarantine.
select
    answer.wave_code,
    answer.respondent_id,
    answer.question_code,
    answer.interviewed_on,
    answer.segment,
    answer.language,
    answer.district_code,
    answer.weight,
    answer.is_weighted,
    answer.is_complete,
    answer.answer_code,
    answer.answer_status,
    answer.is_top_box,
    answer.answer_value
from {{ ref('stg_survey__answer') }} as answer
where {{ is_changed('answer.wave_code', changed_waves()) }}
