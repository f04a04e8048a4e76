{{ config(materialized='view') }}

-- A period that begins before the history holds one of the months of the year before it.
select
    club.club_code,
    month_start::date as month_start
from (select distinct club_code from {{ ref('fct_membership_daily') }}) as club
cross join generate_series(
    date_trunc('month', date '{{ var("history_start") }}' - interval '1 year'),
    date '{{ var("history_start") }}' - 1,
    interval '1 month'
) as month_start
