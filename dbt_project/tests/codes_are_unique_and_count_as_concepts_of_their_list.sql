-- A code is one however it is typed; it counts as a concept of its list or as nothing, and one spelled as a concept counts as it.
select
    code_list.list,
    lower(code_list.code) as code
from {{ ref('code_list') }} as code_list
inner join {{ ref('list') }} as list on code_list.list = list.list
cross join lateral (select string_to_array(list.concepts, ' | ') as concepts) as allowed
group by 1, 2
having
    count(*) > 1
    or bool_or(code_list.counts_as is not null and code_list.counts_as <> all(coalesce(allowed.concepts, '{}')))
    or bool_or(lower(code_list.code) = any(allowed.concepts) and code_list.counts_as is distinct from lower(code_list.code))
