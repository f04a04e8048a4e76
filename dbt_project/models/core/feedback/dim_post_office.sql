select
    post_office_code,
    name_en,
    name_zh,
    district_code,
    opened_on,
    closed_on
from {{ ref('stg_feedback__post_office') }}
