{# The name of a period: '2012/13', '2012', '2012/13 Q3', '2012-11'. Args: basis, day: SQL expressions. #}
{% macro period_name(basis, day) -%}
    case {{ basis }}
        when 'fiscal_year' then {{ fiscal_year(day) }}
        when 'calendar_year' then to_char({{ day }}, 'YYYY')
        when 'fiscal_quarter' then {{ fiscal_year(day) }} || ' Q' || to_char({{ day }} - interval '3 months', 'Q')
        when 'month' then to_char({{ day }}, 'YYYY-MM')
    end
{%- endmacro %}

{# The fiscal year of a day: 1 April 2012 to 31 March 2013 is '2012/13'. #}
{% macro fiscal_year(day) -%}
    to_char({{ day }} - interval '3 months', 'YYYY') || '/' || to_char({{ day }} + interval '9 months', 'YY')
{%- endmacro %}
