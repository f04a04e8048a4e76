{# Ratio of two rates of events a day; null where nothing came before. Args: columns. #}
{% macro rate_ratio(after, before, days_after, days_before) -%}
    {{ share(after ~ ' * ' ~ days_before, before ~ ' * ' ~ days_after) }}
{%- endmacro %}

{#
  A bound of its 95 % interval: that of ratio_change_pct, which holds for periods of one length, times the ratio of the days. Given
  both counts, the later one is binomial with odds of rate ratio * days_after / days_before. Args: as above; sign: '-' or '+'.
#}
{% macro rate_ratio_bound(after, before, days_after, days_before, sign) -%}
    {{ rate('(1 + (' ~ ratio_change_pct(after, before, sign) ~ ') / 100) * ' ~ days_before ~ ' / ' ~ days_after) }}
{%- endmacro %}
