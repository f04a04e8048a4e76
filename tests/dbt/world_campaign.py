"""Campaigns and accounts of the small world."""

from __future__ import annotations


def contact(number: str, campaign: str, company: str, contacted_on: str | None, has_consent: bool) -> dict:
    """A company selected for a campaign."""
    return {
        "campaign_contact_id": number,
        "campaign_id": campaign,
        "company_id": company,
        "contacted_on": contacted_on,
        "has_consent": has_consent,
    }


def response(number: str, campaign: str, company: str, kind: str, responded_at: str) -> dict:
    """A response to a campaign."""
    return {
        "campaign_response_id": number,
        "campaign_id": campaign,
        "company_id": company,
        "response_kind": kind,
        "responded_at": responded_at,
    }


def assignment(number: str, company: str, staff: str, assigned_from: str, assigned_to: str | None = None) -> dict:
    """Somebody in charge of a company."""
    return {
        "account_assignment_id": number,
        "company_id": company,
        "staff_id": staff,
        "assigned_from": assigned_from,
        "assigned_to": assigned_to,
    }


def interaction(number: str, company: str, staff: str, interacted_at: str) -> dict:
    """A call by staff."""
    return {
        "interaction_id": number,
        "company_id": company,
        "staff_id": staff,
        "channel": "phone",
        "direction": "outbound",
        "interacted_at": interacted_at,
    }


def first_nights(warehouse) -> None:
    """What raw holds after the night of 30 March 2013."""
    put = warehouse.put
    put("membership", "account_manager", "2010-04-01", 30, {"account_manager_id": "A1", "team": "team_a"})
    put("campaign", "relationship_executive", "2010-04-01", 31, {"relationship_executive_id": "E1", "team": "team_b"})
    put(
        "campaign", "campaign", "2013-03-30", 32,
        {"campaign_id": "P1", "campaign_name": "Spring", "kind_code": "Campaign ", "starts_on": "2012-05-01"},
        {"campaign_id": "P2", "campaign_name": "Exporters", "kind_code": "targeted_promotion", "starts_on": "2013-03-01"},
    )  # fmt: skip
    put(
        "campaign", "campaign_contact", "2013-03-30", 33,
        contact("c1", "P1", "K1", "2012-05-02", has_consent=True),
        contact("c2", "P1", "K2", "2012-05-02", has_consent=False),
        contact("c3", "P1", "K3", None, has_consent=True),
        contact("c4", "P1", "K9", "2012-05-03", has_consent=True),
        contact("c5", "P2", "K1", "2013-03-05", has_consent=True),
        contact("c6", "P2", "K2", "2013-03-06", has_consent=False),
    )  # fmt: skip
    put(
        "campaign", "campaign_response", "2013-03-30", 34,
        response("r1", "P1", "K1", "order", "2012-05-12 23:59+08"),
        response("r2", "P1", "K1", "order", "2012-05-14 09:00+08"),
        response("r3", "P1", "K3", "enquiry", "2012-05-14 09:00+08"),
        response("r4", "P2", "K2", "opt_out", "2013-03-10 09:00+08"),
    )  # fmt: skip
    put(
        "campaign", "account_assignment", "2013-03-30", 35,
        assignment("a1", "K1", "A1", "2010-06-01"),
        assignment("a2", "K2", "A1", "2010-06-01", "2012-04-01"),
        assignment("a3", "K2", "E1", "2012-04-01"),
        assignment("a4", "K9", "E1", "2013-03-31"),
    )  # fmt: skip
    put(
        "campaign", "interaction", "2013-03-30", 36,
        interaction("i1", "K1", "A1", "2013-03-01 09:00+08"),
        interaction("i2", "K2", "E1", "2012-10-01 09:00+08"),
        interaction("i3", "K3", "A1", "2013-03-30 23:59+08"),
    )  # fmt: skip


def last_night(warehouse) -> None:
    """What 31 March 2013 brings: a response after eleven months, an interaction, and a campaign by its right name."""
    late = response("r5", "P1", "K2", "enquiry", "2013-03-31 09:00+08")
    warehouse.put("campaign", "campaign_response", "2013-03-31", 40, late)
    warehouse.put("campaign", "interaction", "2013-03-31", 41, interaction("i4", "K2", "E1", "2013-03-31 09:00+08"))
    named = {"campaign_id": "P1", "campaign_name": "Spring 2012", "kind_code": "campaign", "starts_on": "2012-05-01"}
    warehouse.put("campaign", "campaign", "2013-03-31", 42, named)


def first_of_april(warehouse) -> None:
    """What 1 April 2013 brings: P3 contacts K2, which does not consent and asked on 10 March to be left alone, and K4."""
    warehouse.put("campaign", "campaign", "2013-04-01", 50, {"campaign_id": "P3", "kind_code": "campaign"})
    warehouse.put(
        "campaign", "campaign_contact", "2013-04-01", 51,
        contact("c7", "P3", "K2", "2013-04-01", has_consent=False),
        contact("c8", "P3", "K4", "2013-04-01", has_consent=True),
    )  # fmt: skip
