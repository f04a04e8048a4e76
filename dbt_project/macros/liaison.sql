{#
  The rows of a sheet that count on the night: of each workbook's latest delivery, which replaces the earlier ones whole, and of
  a key that is in several workbooks (an action carried over, a member of two years) the one delivered last.
  Args: table of the source liaison; key: list of SQL expressions. Rows without the first of them are nobody's.
#}
{% macro liaison_rows(table, key) -%}
    select distinct on ({{ key | join(', ') }}) record.*
    from {{ source('liaison', table) }} as record
    inner join {{ ref('stg_liaison__delivery') }} as delivery on record.delivery_id = delivery.delivery_id
    where
        delivery.is_latest
        and {{ key[0] }} is not null
        and record._business_date <= (select business_date from {{ ref('stg_night') }})
    order by {{ key | join(', ') }}, delivery.delivered_at desc, delivery.workbook desc, record._load_id desc, record.place
{%- endmacro %}
