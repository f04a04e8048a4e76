with latest as (
    {{ latest_version('survey', 'question', ['delivery_id', 'question_code']) }}
)

select
    delivery_id,
    question_code,
    question_no,
    column_name,
    question_text,
    {{ concept('question_scale', 'scale') }} as scale,
    -- What a net promoter score may be made of: exactly the codes 0 to 10.
    {{ concept('question_scale', 'scale') }} = 'nps'
        and valid_codes @> '["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]'
        and jsonb_array_length(valid_codes) = 11 as is_zero_to_ten,
    valid_codes,
    top_codes,
    not_applicable_codes,
    blank_codes,
    _load_id
from latest
