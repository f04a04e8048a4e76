{# Rates are kept to 12 decimals: more than anything printed needs, and the same digits on every server. #}
{% macro rate(value) -%}
    trim_scale(round({{ value }}, 12))
{%- endmacro %}

{#
  A percentile of whole days, interpolated, exact: between whole numbers the median lies at halves and the 90th percentile at
  tenths, while percentile_cont is a double, whose 37.000000000001 is a 37. Args: value: what percentile_cont gave.
#}
{% macro percentile_of_days(value) -%}
    trim_scale(round({{ value }}::numeric, 1))
{%- endmacro %}

{#
  What `percentile_cont` gives, of rows that stand for several cases each: aggregates over the rows of a group. <days>_rank is how many
  cases took so many days or fewer, <days>_cases how many there are. Args: days: column; share: of the cases, 0.5 for the median.
#}
{% macro percentile_of_ranks(days, share) -%}
    {%- set place = share ~ '::float8 * (' ~ days ~ '_cases - 1)' -%}
    {%- set below = 'min(' ~ days ~ ') filter (where ' ~ days ~ '_rank > floor(' ~ place ~ '))' -%}
    {%- set above = 'min(' ~ days ~ ') filter (where ' ~ days ~ '_rank > ceil(' ~ place ~ '))' -%}
    {{ below }} + (max({{ place }}) - floor(max({{ place }}))) * ({{ above }} - {{ below }})
{%- endmacro %}

{# part / whole as a numeric; null where there is nothing to divide by, never a guess. #}
{% macro share(part, whole) -%}
    {{ rate('(' ~ part ~ ')::numeric / nullif(' ~ whole ~ ', 0)') }}
{%- endmacro %}

{# Relative change in percent, `_pct`; a difference of two percentages is in points, `_pp`, and never made here. #}
{% macro change_pct(now, before) -%}
    {{ rate('100 * (' ~ now ~ ')::numeric / nullif(' ~ before ~ ', 0) - 100') }}
{%- endmacro %}

{# Sum of the weights, squared, over the sum of their squares: how many equal respondents the weighted ones are worth. #}
{% macro effective_n(weight_sum, weight_sq_sum) -%}
    {{ share(weight_sum ~ ' * ' ~ weight_sum, weight_sq_sum) }}
{%- endmacro %}

{# 95 % margin of a share in a simple random sample of n: 1.96 * sqrt(p (1 - p) / n). #}
{% macro margin(p, n) -%}
    {{ rate('1.96 * sqrt(' ~ p ~ ' * (1 - ' ~ p ~ ') / ' ~ n ~ ')') }}
{%- endmacro %}

{#
  A bound of Wilson's 95 % score interval, which stays between 0 and 1 and is right near 100 %, where the margin above is
  not. Args: p, n: columns; sign: '-' for the lower bound, '+' for the upper.
  Source: E. B. Wilson, JASA 22 (1927), 209-212.
#}
{% macro wilson(p, n, sign) -%}
    {%- set z2 = '1.96 * 1.96' -%}
    {%- set middle = p ~ ' + ' ~ z2 ~ ' / (2 * ' ~ n ~ ')' -%}
    {%- set half = '1.96 * sqrt(' ~ p ~ ' * (1 - ' ~ p ~ ') / ' ~ n ~ ' + ' ~ z2 ~ ' / (4 * ' ~ n ~ ' * ' ~ n ~ '))' -%}
    {{ rate('(' ~ middle ~ ' ' ~ sign ~ ' ' ~ half ~ ') / (1 + ' ~ z2 ~ ' / ' ~ n ~ ')') }}
{%- endmacro %}

{#
  A bound, in percent, of the 95 % interval of the relative change from one count of events to another over periods of the
  same length: given both, the later one is binomial, and p / (1 - p) of its share is their ratio. The share's interval is Wilson's with
  continuity correction, which stays close to the exact one (Clopper-Pearson) at the small counts of a month or a service.
  Null where the bound is infinite (nothing before) and where both are 0. Args: now, before: columns; sign: '-' or '+'.
  Sources: J. Przyborowski and H. Wilenski, Biometrika 31 (1940), 313-323 (the condition on the sum); R. G. Newcombe,
  Statistics in Medicine 17 (1998), 857-872, method 4 (the interval).
#}
{% macro ratio_change_pct(now, before, sign) -%}
    {%- set n = '(' ~ now ~ ' + ' ~ before ~ ')::numeric' -%}
    {%- set z2 = '1.96 * 1.96' -%}
    {%- set other = '+' if sign == '-' else '-' -%}
    {%- set bound -%}
        (2 * {{ now }} + {{ z2 }} {{ sign }} 1 {{ sign }} 1.96 * sqrt(
            {{ z2 }} {{ sign }} 2 - 1 / ({{ n }}) + 4::numeric * {{ now }} * ({{ before }} {{ other }} 1) / ({{ n }})
        )) / (2 * (({{ n }}) + {{ z2 }}))
    {%- endset -%}
    case
        {%- if sign == '-' %}
        when {{ now }} = 0 and {{ before }} > 0 then -100
        when {{ now }} > 0 and {{ before }} >= 0 then {{ rate('100 * (' ~ bound ~ ') / (1 - ' ~ bound ~ ') - 100') }}
        {%- else %}
        when {{ before }} > 0 then {{ rate('100 * (' ~ bound ~ ') / (1 - ' ~ bound ~ ') - 100') }}
        {%- endif %}
    end
{%- endmacro %}

{# Whether that interval leaves out "no change": known also where only one of its bounds is. #}
{% macro is_ratio_significant(now, before) -%}
    case
        when {{ before }} is not null
            then coalesce({{ ratio_change_pct(now, before, '-') }} > 0, false)
            or coalesce({{ ratio_change_pct(now, before, '+') }} < 0, false)
    end
{%- endmacro %}
