select business_date
from {{ ref('stg_night') }}
