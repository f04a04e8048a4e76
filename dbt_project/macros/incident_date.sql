{#
  A date as counter clerks type it: dd/mm/yyyy, d-m-yy, yyyy-mm-dd, 2012年11月5日, 二○一二年十一月五日 (zero as 〇, 零 or
  U+25CB), full-width digits. Day before month, as in Hong Kong; only a date that cannot be read so (05/25/2012) is read
  month first. What is no date of the calendar, blank, NA or 0 gives null.
#}
{% macro incident_date(column) -%}
    (
        -- `offset 0` keeps PostgreSQL from repeating the inner expressions in each place they are used.
        select coalesce(
            {{ date_of('ymd[1]', 'ymd[2]', 'ymd[3]') }},
            {{ date_of('dmy[3]', 'dmy[2]', 'dmy[1]') }},
            {{ date_of('dmy[3]', 'dmy[1]', 'dmy[2]') }}
        )
        from (
            select
                regexp_match(typed, '^(\d{4})[年/.-](\d{1,2})[月/.-](\d{1,2})[日號号]?$') as ymd,
                regexp_match(typed, '^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})$') as dmy
            from (select {{ tens(digits(column)) }} as typed offset 0) as digits
            offset 0
        ) as parts
    )
{%- endmacro %}

{% macro digits(column) -%}
    translate({{ column }}, '０１２３４５６７８９〇○零一二三四五六七八九／．－ ' || U&'\3000\00A0', '0123456789000123456789/.-')
{%- endmacro %}

{# 十一 is 11, 二十 is 20, 二十一 is 21: once the other numerals are digits, only the ten is left to spell out. #}
{% macro tens(column) -%}
    replace(regexp_replace(regexp_replace(regexp_replace({{ column }},
        '(\d)十(\d)', '\1\2', 'g'), '(\d)十', '\10', 'g'), '十(\d)', '1\1', 'g'), '十', '10')
{%- endmacro %}

{# The date, or null where the calendar has no such day. A year of two digits is of this century. #}
{% macro date_of(year, month, day) -%}
    case
        when pg_input_is_valid(right('20' || {{ year }}, 4) || '-' || {{ month }} || '-' || {{ day }}, 'date')
            then make_date(right('20' || {{ year }}, 4)::int, {{ month }}::int, {{ day }}::int)
    end
{%- endmacro %}
