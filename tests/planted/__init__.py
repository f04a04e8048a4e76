"""A good row of every landing table, and what spoils it by the rule that must notice: one module a source.

{i} makes the key. Several entries of one rule are several bad rows.
"""

from tests.planted import campaign, engagement, feedback, liaison, membership, survey

GOOD = campaign.GOOD | engagement.GOOD | feedback.GOOD | liaison.GOOD | membership.GOOD | survey.GOOD
BAD = campaign.BAD | engagement.BAD | feedback.BAD | liaison.BAD | membership.BAD | survey.BAD
