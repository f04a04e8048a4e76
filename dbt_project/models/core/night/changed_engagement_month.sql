-- depends_on: {{ ref('build') }}
-- What the clubs' members took part in is told late, and of a contact whose company becomes known later still. Which of
-- it is new cannot be told from loads, so the companies and days of a month are held against those of the last build.
with engaged as (
    select
        date_trunc('month', engaged_on)::date as month_start,
        sum(hashtextextended(company_id || ' ' || engaged_on, 0)) as fingerprint
    from (select distinct company_id, engaged_on from {{ ref('fct_engagement') }}) as engaged_day
    group by 1
),

stood as (
    {%- if goes_on() %}
    select
        month_start,
        fingerprint
    from {{ this }}
    {%- else %}
    select
        null::date as month_start,
        null::numeric as fingerprint
    where false
    {%- endif %}
)

select
    coalesce(engaged.month_start, stood.month_start) as month_start,
    engaged.fingerprint,
    (engaged.fingerprint is distinct from stood.fingerprint) as has_changed
from engaged
full join stood on engaged.month_start = stood.month_start
