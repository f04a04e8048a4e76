-- Question: What do complaints on one service come from, by district and channel?
-- Look at: counts of any cells add up; divide only after adding up.
-- Columns: fiscal_year, district, channel, received, found, due, in_time
select
    cube.fiscal_year,
    district.name_en as district,
    channel.name_en as channel,
    sum(cube.received) as received,
    sum(cube.found_substantiated + cube.found_partly) as found,
    sum(cube.substantive_reply_due) as due,
    sum(cube.substantive_reply_within_target) as in_time
from marts.feedback_cube as cube
inner join marts.code_name as district on district.list = 'district' and cube.district_code = district.code
inner join marts.code_name as channel on channel.list = 'channel' and cube.channel_code = channel.code
where cube.kind = 'complaint' and cube.service_code = 'counter'
group by cube.fiscal_year, district.name_en, channel.name_en
order by cube.fiscal_year, received desc;
