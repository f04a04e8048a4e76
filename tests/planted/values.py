"""Values that the rows of several sources share."""

SHA = "0123456789abcdef" * 4
NOW = "2013-03-30 12:00+08"
FUTURE = "2013-04-01 00:00+08"
DECODED, DECOMPOSED, PRIVATE = "æ·±æ°´\ufffd", "e\u0301", "深水\ue000"
PERSON = [
    ("person_key_pseudonymous", {"person_key": "abc"}),
    ("person_key_pseudonymous", {"person_key": "someone@example.hk" + "x" * 46}),
]
