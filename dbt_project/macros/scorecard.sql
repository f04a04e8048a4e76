{#
  What the KPIs of seed kpi are made of, mart by mart: the mart, which of its rows, whether the operator has any (a mart of counts
  says 0 also where there is nothing to count), and each KPI as
      [kpi, condition of its rows, numerator, denominator, how months make a longer period]
  The rows of a period are added up. Months make a period: sum; last, what stands at its end; flow, a sum over what stood at its
  start; own, not at all, so that only the mart's own periods are told, of one row each; shared, nor that, over a denominator that is
  the same in each row. A new KPI is a line here and one of the seed.
#}
{% macro scorecard_marts() -%}
    {%- set complaint = 'mart.kind in (' ~ codes_of('kind', 'complaint') ~ ')' -%}
    {%- set commendation = 'mart.kind in (' ~ codes_of('kind', 'commendation') ~ ')' -%}
    {{ return([
        {'mart': 'kpi_feedback', 'rows': "mart.level = 'kind'", 'is_known': 'true', 'kpis': [
            ['feedback_received', 'true', 'mart.received', 'null', 'sum'],
            ['complaints', complaint, 'mart.received', 'null', 'sum'],
            ['commendations', commendation, 'mart.received', 'null', 'sum'],
            ['suggestions', "mart.kind = 'suggestion'", 'mart.received', 'null', 'sum'],
            ['enquiries', "mart.kind = 'enquiry'", 'mart.received', 'null', 'sum'],
            ['lost_mail_claims', "mart.kind = 'lost_mail_claim'", 'mart.received', 'null', 'sum'],
            ['complaints_per_million_items', complaint ~ " and mart.period_basis = 'fiscal_year'", 'mart.received', 'mart.mail_items', 'shared'],
            ['commendations_per_complaint', complaint ~ ' or ' ~ commendation,
                'case when ' ~ commendation ~ ' then mart.received end', 'case when ' ~ complaint ~ ' then mart.received end', 'sum'],
            ['substantiated_share', complaint, 'mart.found_substantiated + mart.found_partly',
                'mart.found_substantiated + mart.found_partly + mart.found_unsubstantiated', 'sum'],
            ['reopened_share', 'true', 'mart.received_reopened', 'mart.received', 'sum'],
            ['acknowledgement_within_target_share', complaint, 'mart.acknowledgement_within_target', 'mart.acknowledgement_due', 'sum'],
            ['first_reply_within_target_share', complaint, 'mart.first_reply_within_target', 'mart.first_reply_due', 'sum'],
            ['substantive_reply_within_target_share', complaint, 'mart.substantive_reply_within_target', 'mart.substantive_reply_due', 'sum'],
        ]},
        {'mart': 'kpi_feedback_timeliness', 'rows': "mart.dimension = 'all' and mart.milestone = 'substantive_reply'", 'is_known': 'true', 'kpis': [
            ['substantive_reply_days_average', complaint, 'mart.calendar_days_sum', 'mart.measured_cases', 'sum'],
            ['substantive_reply_days_median', complaint, 'mart.calendar_days_median', 'null', 'own'],
        ]},
        {'mart': 'kpi_feedback_backlog', 'rows': "mart.age_band <> 'all'", 'is_known': 'true', 'kpis': [
            ['open_cases', 'true', 'mart.open_cases', 'null', 'last'],
            ['open_cases_over_30_days', "mart.age_band in ('31-90', 'over 90')", 'mart.open_cases', 'null', 'last'],
        ]},
        {'mart': 'kpi_membership', 'rows': "mart.club_code = 'any'", 'is_known': 'members > 0 or leaves > 0', 'kpis': [
            ['members', 'true', 'mart.members', 'null', 'last'],
            ['joins', 'true', 'mart.joins', 'null', 'sum'],
            ['leaves', 'true', 'mart.leaves', 'null', 'sum'],
            ['net_growth', 'true', 'mart.net_growth', 'null', 'sum'],
            ['churn_share', 'true', 'mart.leaves', 'mart.members_at_start', 'flow'],
        ]},
        {'mart': 'kpi_membership_by_dimension', 'rows': "mart.club_code = 'any' and mart.dimension = 'all'", 'is_known': 'true', 'kpis': [
            ['active_share', 'true', 'mart.active_members', 'mart.members', 'own'],
        ]},
        {'mart': 'kpi_engagement_newsletter', 'rows': "mart.newsletter_code = 'all'", 'is_known': 'true', 'kpis': [
            ['newsletter_delivered', 'true', 'mart.delivered', 'null', 'sum'],
            ['newsletter_opened_share', 'true', 'mart.opened', 'mart.delivered', 'sum'],
            ['newsletter_clicked_share', 'true', 'mart.clicked', 'mart.delivered', 'sum'],
            ['newsletter_unsubscribed_share', 'true', 'mart.unsubscribed', 'mart.delivered', 'sum'],
            ['late_sends_after_unsubscribe', 'true', 'mart.late_sends_after_unsubscribe', 'null', 'sum'],
        ]},
        {'mart': 'kpi_engagement_activity', 'rows': 'true', 'is_known': 'true', 'kpis': [
            ['activities_attended', 'true', 'mart.attended', 'null', 'sum'],
            ['turned_up_share', 'true', 'mart.attended - mart.walk_ins', 'mart.registrations_checked', 'sum'],
        ]},
        {'mart': 'kpi_engagement_hotline', 'rows': 'true', 'is_known': 'true', 'kpis': [
            ['hotline_calls', 'true', 'mart.offered', 'null', 'sum'],
            ['hotline_answered_within_20s_share', 'true', 'mart.answered_within_20s', 'mart.offered', 'sum'],
            ['hotline_abandoned_share', 'true', 'mart.abandoned', 'mart.offered', 'sum'],
            ['hotline_average_wait_seconds', 'true', 'mart.wait_seconds', 'mart.answered', 'sum'],
        ]},
        {'mart': 'kpi_engagement_website', 'rows': 'true', 'is_known': 'true', 'kpis': [
            ['website_visits', 'true', 'mart.visits', 'null', 'sum'],
        ]},
        {'mart': 'kpi_campaign_by_period', 'rows': "mart.kind_code = 'all'", 'is_known': 'contacted > 0', 'kpis': [
            ['campaign_contacts', 'true', 'mart.contacted', 'null', 'sum'],
            ['campaign_response_90_days_share', 'true', 'mart.responded_within_90_days', 'mart.contacted_90_days_ago', 'sum'],
            ['campaign_consent_share', 'true', 'mart.with_consent', 'mart.contacted', 'sum'],
            ['contacts_without_consent', 'true', 'mart.contacts_without_consent', 'null', 'sum'],
        ]},
        {'mart': 'kpi_account_management', 'rows': "mart.role = 'all'", 'is_known': 'accounts > 0 or interactions > 0', 'kpis': [
            ['account_coverage_share', 'true', 'mart.accounts_contacted_90_days', 'mart.accounts', 'last'],
            ['account_interactions', 'true', 'mart.account_interactions', 'null', 'sum'],
        ]},
        {'mart': 'kpi_liaison', 'rows': "mart.group_code = 'all' and mart.constituency = 'all'", 'is_known': 'true', 'kpis': [
            ['liaison_groups', 'true', 'mart.liaison_groups', 'null', 'last'],
            ['liaison_members', 'true', 'mart.members', 'null', 'last'],
            ['liaison_meetings', 'true', 'mart.meetings', 'null', 'sum'],
            ['liaison_attendance_share', 'true', 'mart.seats_attended', 'mart.seats_due', 'sum'],
            ['liaison_topics', 'true', 'mart.topics', 'null', 'sum'],
            ['liaison_actions_raised', 'true', 'mart.actions_raised', 'null', 'sum'],
            ['liaison_actions_done', 'true', 'mart.actions_done', 'null', 'sum'],
            ['liaison_actions_overdue', 'true', 'mart.actions_overdue', 'null', 'last'],
            ['liaison_days_to_done_average', 'true', 'mart.days_to_done_sum', 'mart.actions_done', 'sum'],
        ]},
    ]) }}
{%- endmacro %}

{#
  A bound of Byar's 95 % interval of a Poisson count: within 0.2 of the exact one, also at 0. Args: n: column, numeric; sign.
  Source: N. E. Breslow and N. E. Day, Statistical Methods in Cancer Research II (IARC 1987), 69.
#}
{% macro byar(n, sign) -%}
    {%- set m = n if sign == '-' else '(' ~ n ~ ' + 1)' -%}
    case
        {%- if sign == '-' %}
        when {{ n }} = 0 then 0
        {%- endif %}
        when {{ n }} >= 0 then {{ m }} * (1 - 1 / (9 * {{ m }}) {{ sign }} 1.96 / (3 * sqrt({{ m }}))) ^ 3
    end
{%- endmacro %}
