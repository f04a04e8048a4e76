-- What a member is, the workbook that came last says; what a member was called, each workbook says for itself.
with member as (
    select distinct on (member_no) *
    from {{ ref('stg_liaison__member') }}
    order by member_no asc, delivered_at desc, delivery_id desc
)

select
    term.member_no,
    term.term_number,
    member.group_code,
    member.constituency,
    member.district_code,
    term.term_from,
    term.term_to,
    night.business_date between term.term_from and coalesce(term.term_to, 'infinity') as is_current
from {{ ref('stg_liaison__term') }} as term
inner join member on term.member_no = member.member_no
inner join {{ ref('dim_liaison_group') }} as liaison_group on member.group_code = liaison_group.group_code
cross join {{ ref('as_of') }} as night
where term.term_from <= coalesce(term.term_to, 'infinity')
