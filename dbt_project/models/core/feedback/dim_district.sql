select
    district_code,
    name_en,
    name_zh,
    region
from {{ ref('district') }}
