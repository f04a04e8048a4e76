"""What the page says of the nights themselves."""

from __future__ import annotations

from crw.report import health
from crw.report.marts import Marts
from crw.report.words import Words

ROWS = """
    (date '2013-03-30', 'marts', 'rows_published', 'all', 7, false), ('2013-03-30', 'feedback', 'loads', 'held', 5, false),
    ('2013-03-31', 'feedback', 'loads', 'superseded', 2, false), ('2013-04-01', 'feedback', 'loads', 'rejected', 1, true),
    ('2013-04-01', 'feedback', 'loads', 'published', 4, true), ('2013-04-01', 'marts', 'rows_published', 'all', 7, true)
"""


def test_loads_that_were_held_since_the_page_before_are_counted(database):
    database.execute(
        "create table marts.data_health as select *, null as table_name, null as age_band, null as severity "
        f"from (values {ROWS}) as told (night, source, measure, detail, value, is_latest)"
    )
    marts = Marts(database, {})
    told = "3 loads were held for a person, and rejected or replaced by a newer one."
    assert told in str(health.section(marts, Words("en", {})))
    assert "有3次載入曾暫停待人處理，其後被否決或由較新的一次取代。" in str(health.section(marts, Words("zh", {})))
    database.execute("delete from marts.data_health where night > '2013-03-30' and measure = 'loads'")
    assert "were held" not in str(health.section(marts, Words("en", {})))
