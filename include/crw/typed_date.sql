-- A date as people type it, or null where it is blank or no day of the calendar: 5/11/2012, 2012-11-05, 5 Nov 2012,
-- 二○一二年十一月五日 (zero as 〇, 零 or U+25CB), full-width digits, the text of a spreadsheet's own date. Day before month, as in Hong Kong;
-- only a date that cannot be read so (05/25/2012) is read month first; 12年5月30日 says which is which. A function, so that a suite
-- refuses exactly what staging could not read. How most write it comes first: to take a date apart by patterns costs thirty times as much as to know its form.
create or replace function raw.typed_date(typed text) returns date language plpgsql immutable strict parallel safe as $$
declare
    parted text;
    reading text;
begin
    if typed ~ '^[0-9]{1,2}[/.-][0-9]{1,2}[/.-]([0-9]{4}|[0-9]{2})$' then
        parted := translate(typed, '/.', '--');
        reading := right('20' || split_part(parted, '-', 3), 4) || '-' || split_part(parted, '-', 2) || '-' || split_part(parted, '-', 1);
    elsif typed ~ '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$' then
        reading := typed;
    end if;
    if pg_input_is_valid(reading, 'date') then
        return reading;
    end if;
    declare
        digits constant text := translate(
            lower(btrim(typed, U&' \0009\000A\000D\00A0\200B\200C\200D\2060\3000\FEFF')),
            '０１２３４５６７８９〇○零一二三四五六七八九號号／－．/.' || U&'\3000\00A0', '0123456789000123456789日日-----  '
        );
        -- 十一 is 11, 二十 is 20, 二十一 is 21: once the other numerals are digits, only the ten is left to spell out.
        spelt constant text := replace(regexp_replace(regexp_replace(regexp_replace(
            digits, '(\d)十(\d)', '\1\2', 'g'), '(\d)十', '\10', 'g'), '十(\d)', '1\1', 'g'), '十', '10');
        plain constant text := btrim(regexp_replace(spelt, ' *([-年月日]) *', '\1', 'g'));
        ymd constant text[] := regexp_match(plain, '^(\d{4}|\d{2}(?=年))[-年](\d{1,2})[-月](\d{1,2})日?(?: 00:00:00)?$');
        dmy constant text[] := regexp_match(
            plain, '^(\d{1,2})(?:[ -]+(\d{1,2})[ -]+|[ -]*([a-z]{3})[a-z]*[ ,-]*)(\d{4}|\d{2})$'
        );
        names constant text[] := array['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
        month constant text := coalesce(dmy[2], array_position(names, dmy[3])::text);
    begin
        foreach reading in array array[
            right('20' || ymd[1], 4) || '-' || ymd[2] || '-' || ymd[3],
            right('20' || dmy[4], 4) || '-' || month || '-' || dmy[1],
            right('20' || dmy[4], 4) || '-' || dmy[1] || '-' || month
        ] loop
            if pg_input_is_valid(reading, 'date') then
                return reading;
            end if;
        end loop;
        return null;
    end;
end $$;
