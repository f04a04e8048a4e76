{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='wave_code',
    on_schema_change='append_new_columns',
    pre_hook="{{ forget_gone(this, 'wave_code', ref('dim_survey_wave')) }}",
    post_hook="analyze {{ this }}"
) }}

-- A wave is made anew, whole, when anything of it changed: another delivery, a row released from quarantine.
with respondent as (
    select
        delivery_id,
        bit_xor(hashtextextended(respondent_id, _load_id)) as versions
    from {{ ref('stg_survey__respondent') }}
    group by 1
),

question as (
    select
        delivery_id,
        bit_xor(hashtextextended(question_code, _load_id)) as versions
    from {{ ref('stg_survey__question') }}
    group by 1
),

wave as (
    select
        wave.wave_code,
        hashtextextended(concat_ws(
            '|', wave.delivery_id, respondent.versions, question.versions, '{{ local_md5(model.raw_code) }}'
        ), 0) as _inputs_hash
    from {{ ref('dim_survey_wave') }} as wave
    inner join respondent on wave.delivery_id = respondent.delivery_id
    inner join question on wave.delivery_id = question.delivery_id
),

{% if is_incremental() %}
-- Settled before a single answer is unnested: a plan that compares each answer with the table takes minutes.
known as materialized (
    select distinct wave_code, _inputs_hash from {{ this }}
),
{% endif %}

changed as materialized (
    select wave.*
    from wave
    {% if is_incremental() %}
        left join known on wave.wave_code = known.wave_code and wave._inputs_hash = known._inputs_hash
        where known.wave_code is null
    {% endif %}
)

select
    answer.wave_code,
    answer.respondent_id,
    answer.question_code,
    answer.interviewed_on,
    answer.segment,
    answer.language,
    district.district_code,
    answer.weight,
    answer.is_weighted,
    answer.is_complete,
    answer.answer_code,
    answer.answer_status,
    answer.is_top_box,
    answer.answer_value,
    changed._inputs_hash
from changed
inner join {{ ref('stg_survey__answer') }} as answer on changed.wave_code = answer.wave_code
left join {{ ref('dim_district') }} as district on answer.district_code = district.district_code
