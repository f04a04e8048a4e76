-- Every sheet tells of its workbook: one that has lost all its rows must not bring those of an earlier delivery back.
with delivery as (
    {%- for table in ['group', 'member', 'term', 'meeting', 'attendance', 'topic', 'action', 'improvement'] %}
    select
        delivery_id,
        file_name,
        delivered_at
    from {{ source('liaison', table) }}
    where _business_date <= (select business_date from {{ ref('stg_night') }})
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

named as (
    select
        delivery_id,
        regexp_replace(file_name, '^.*/', '') as workbook,
        delivered_at
    from delivery
)

select
    delivery_id,
    workbook,
    delivered_at,
    delivery_id = first_value(delivery_id) over (
        partition by workbook order by delivered_at desc, delivery_id desc
    ) as is_latest
from named
