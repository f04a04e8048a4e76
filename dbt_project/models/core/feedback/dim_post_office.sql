select
    office.post_office_code,
    office.name_en,
    office.name_zh,
    district.district_code,
    office.opened_on,
    office.closed_on
from {{ ref('stg_feedback__post_office') }} as office
left join {{ ref('dim_district') }} as district on office.district_code = district.district_code
