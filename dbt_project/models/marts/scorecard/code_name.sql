select
    list,
    code,
    sort_order,
    name_en,
    name_zh,
    counts_as,
    null as part_of
from {{ ref('code_list') }}
union all
select
    'district' as list,
    district_code as code,
    (row_number() over (order by district_code))::integer as sort_order,
    name_en,
    name_zh,
    null as counts_as,
    region as part_of
from {{ ref('district') }}
union all
select
    'kpi' as list,
    kpi as code,
    sort_order,
    name_en,
    name_zh,
    null as counts_as,
    area as part_of
from {{ ref('kpi') }}
union all
select
    list,
    code,
    sort_order,
    name_en,
    name_zh,
    null as counts_as,
    null as part_of
from {{ ref('word') }} as word
where
    word.list <> 'any_list'
    and (word.list, word.code) not in (select listed.list, listed.code from {{ ref('code_list') }} as listed)
union all
-- Marts write what a code counts as where figures depend on it; its name is that of the first code that does.
(
    select distinct on (list, counts_as)
        list,
        counts_as as code,
        sort_order,
        name_en,
        name_zh,
        counts_as,
        null as part_of
    from {{ ref('code_list') }}
    where
        counts_as <> 'any'
        and (list, counts_as) not in (select listed.list, listed.code from {{ ref('code_list') }} as listed)
    order by list asc, counts_as asc, sort_order asc
)
union all
-- What marts write for totals and for the unknown is named in every list, so that a join on list and code loses no row.
select
    lists.list,
    total.code,
    total.sort_order,
    total.name_en,
    total.name_zh,
    null as counts_as,
    null as part_of
from (
    select list from {{ ref('list') }}
    union
    select list from {{ ref('word') }}
    where list <> 'any_list'
) as lists
cross join {{ ref('word') }} as total
where total.list = 'any_list'
