"""A good row of every landing table, and what spoils it by the rule that must notice: one module a source.

{i} makes the key. Several entries of one rule are several bad rows.
"""

from tests.planted import campaign, feedback, liaison, membership, survey

GOOD = campaign.GOOD | feedback.GOOD | liaison.GOOD | membership.GOOD | survey.GOOD
BAD = campaign.BAD | feedback.BAD | liaison.BAD | membership.BAD | survey.BAD
