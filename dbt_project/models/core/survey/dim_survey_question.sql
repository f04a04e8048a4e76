select
    delivery.wave_code,
    question.question_code,
    question.column_name,
    question.question_text,
    question.scale,
    question.is_zero_to_ten
from {{ ref('stg_survey__delivery') }} as delivery
inner join {{ ref('stg_survey__question') }} as question on delivery.delivery_id = question.delivery_id
where delivery.is_latest
