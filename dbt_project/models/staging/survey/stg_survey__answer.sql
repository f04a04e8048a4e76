-- Each respondent of a wave's latest delivery meets each question of its code book, so that a question left out of
-- the answers counts as blank and not as nobody.
with answer as (
    select
        delivery.wave_code,
        respondent.*,
        question.question_code,
        question.scale,
        question.not_applicable_codes,
        question.blank_codes,
        {{ trimmed('(respondent.answers::text[])[question.question_no]') }} as answer_code
    from {{ ref('stg_survey__delivery') }} as delivery
    inner join {{ ref('stg_survey__respondent') }} as respondent on delivery.delivery_id = respondent.delivery_id
    inner join {{ ref('stg_survey__question') }} as question on delivery.delivery_id = question.delivery_id
    where delivery.is_latest
),

-- One row a valid code, so that 90,000 answers are joined with it instead of each searching the list.
valid_code as (
    select
        question.delivery_id,
        question.question_code,
        valid.code,
        min(valid.place) as place,
        bool_or(question.top_codes ? valid.code) filter (where question.top_codes <> '[]') as is_top
    from {{ ref('stg_survey__question') }} as question
    cross join lateral jsonb_array_elements_text(question.valid_codes) with ordinality as valid (code, place)
    group by 1, 2, 3
)

select
    answer.wave_code,
    answer.delivery_id,
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
    case
        when answer.answer_code is null then 'blank'
        when valid_code.code is not null then 'valid'
        when answer.not_applicable_codes ? answer.answer_code then 'not_applicable'
        when answer.blank_codes ? answer.answer_code then 'blank'
        else 'invalid'
    end as answer_status,
    valid_code.is_top as is_top_box,
    case
        when valid_code.code is null then null
        when answer.scale = 'rating' then valid_code.place::numeric
        when answer.scale = 'nps' and valid_code.code ~ '^\d+$' then valid_code.code::numeric
    end as answer_value
from answer
left join valid_code
    on
        answer.delivery_id = valid_code.delivery_id
        and answer.question_code = valid_code.question_code
        and answer.answer_code = valid_code.code
