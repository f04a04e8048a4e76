{#
  Counts of contacts, each a company that a campaign contacted, and their times to a response: aggregates over rows of
  fct_campaign_contact joined with `night` (as_of). Contacts younger than 90 days are left out of the 90-day figures,
  for their responses may still come.
#}
{% macro campaign_counts() -%}
    count(contact.contacted_on) as contacted,
    count(contact.contacted_on) filter (where contact.has_consent) as with_consent,
    count(*) filter (where contact.is_consent_required) as consent_required,
    count(*) filter (where contact.lacks_required_consent) as contacts_without_consent,
    case
        when count(contact.is_after_opt_out) = count(*) then count(*) filter (where contact.is_after_opt_out)
    end as contacted_after_opt_out,
    count(contact.first_responded_on) as responded,
    count(*) filter (where contact.response_kind = 'order') as ordered,
    count(contact.opted_out_on) as opted_out,
    count(*) filter (where contact.contacted_on <= night.business_date - 90) as contacted_90_days_ago,
    count(*) filter (
        where contact.contacted_on <= night.business_date - 90 and contact.days_to_response <= 90
    ) as responded_within_90_days,
    percentile_cont(0.5) within group (order by contact.days_to_response) as days_to_response_median,
    percentile_cont(0.9) within group (order by contact.days_to_response) as days_to_response_p90
{%- endmacro %}

{# Those counts, and the shares and intervals that follow from them. Arg: alias of what holds them. #}
{% macro campaign_figures(counted) -%}
    {%- for count in [
        'contacted', 'with_consent', 'consent_required', 'contacts_without_consent', 'responded', 'ordered', 'opted_out',
        'contacted_90_days_ago', 'responded_within_90_days',
    ] %}
    coalesce({{ counted }}.{{ count }}, 0)::integer as {{ count }},
    {%- endfor %}
    case when {{ counted }}.contacted is null then 0 else {{ counted }}.contacted_after_opt_out end::integer
        as contacted_after_opt_out,
    {%- set p = counted ~ '.responded::numeric / nullif(' ~ counted ~ '.contacted, 0)' %}
    {#- A numeric, for the square of an integer may be too large for one. -#}
    {%- set n = 'nullif(' ~ counted ~ '.contacted, 0)::numeric' %}
    {{ share(counted ~ '.with_consent', counted ~ '.contacted') }} as consent_coverage_share,
    {{ share(counted ~ '.responded', counted ~ '.contacted') }} as response_share,
    {{ wilson('(' ~ p ~ ')', n, '-') }} as response_low,
    {{ wilson('(' ~ p ~ ')', n, '+') }} as response_high,
    {{ share(counted ~ '.responded_within_90_days', counted ~ '.contacted_90_days_ago') }} as response_90_days_share,
    {{ percentile_of_days(counted ~ '.days_to_response_median') }} as days_to_response_median,
    {{ percentile_of_days(counted ~ '.days_to_response_p90') }} as days_to_response_p90
{%- endmacro %}
