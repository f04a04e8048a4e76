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
-- What the sources name themselves, and without a name are told by their code; industries as the CRM writes them.
select
    'post_office' as list,
    post_office_code as code,
    (row_number() over (order by post_office_code))::integer as sort_order,
    coalesce(name_en, post_office_code) as name_en,
    name_zh,
    null as counts_as,
    district_code as part_of
from {{ ref('dim_post_office') }}
union all
select
    'group' as list,
    group_code as code,
    (row_number() over (order by group_code))::integer as sort_order,
    coalesce(name_en, group_code) as name_en,
    name_zh,
    null as counts_as,
    null as part_of
from {{ ref('dim_liaison_group') }}
union all
select
    'industry' as list,
    industry_code as code,
    (row_number() over (order by industry_code))::integer as sort_order,
    industry_code as name_en,
    null as name_zh,
    null as counts_as,
    null as part_of
from (
    select distinct industry_code
    from {{ ref('dim_customer') }}
    where industry_code is not null
) as industry
union all
-- Feedback is told by the size of the company, the survey by what the respondent speaks for.
select
    'segment' as list,
    code,
    sort_order,
    name_en,
    name_zh,
    counts_as,
    null as part_of
from {{ ref('code_list') }}
where list in ('size_band', 'respondent_segment')
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
-- What marts write for totals and for the unknown is named in every list, so that a join on list and code loses no row;
-- a mart that breaks down by dimension names its list there, or all.
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
    union
    select * from (values ('post_office'), ('group'), ('industry'), ('segment'), ('all')) as other (list)
) as lists
cross join {{ ref('word') }} as total
where total.list = 'any_list'
