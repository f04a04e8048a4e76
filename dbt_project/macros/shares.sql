{# Rates are kept to 12 decimals: more than anything printed needs, and the same digits on every server. #}
{% macro rate(value) -%}
    trim_scale(round({{ value }}, 12))
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
