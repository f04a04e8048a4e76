import re
from datetime import date, timedelta

import pytest

from crw import contracts, data_docs, quality

NIGHT = date(2013, 3, 31)


@pytest.fixture
def nights(database):
    """Four nights of the category table, each with one row that a warning refuses."""
    table = contracts.table("feedback", "category")
    for back in range(4):
        night = NIGHT - timedelta(days=back)
        database.execute("truncate landing.feedback__category restart identity")
        database.execute(
            "insert into landing.feedback__category (category_code, kind, issue_code, updated_at) "
            "values ('A', 'complaint', 'delay', %s), ('<B>', 'complaint', '<b>weather', %s)",
            [night, night],
        )
        (load_id,) = database.execute(
            "insert into audit.load "
            "(source, table_name, business_date, run_id, interval_start, interval_end, rows_read) "
            "values ('feedback', 'category', %s, 'r', '2013-01-01', '2013-04-01 00:00+08', 2) returning load_id",
            [night],
        ).fetchone()
        quality.validate_landing(database, table, load_id, night)
    return database


def pages_of(folder):
    return sorted(str(page.relative_to(folder)) for page in folder.glob("*/*.html"))


def test_the_site_holds_the_last_nights_and_links_to_every_page(nights, tmp_path):
    index = data_docs.build(nights, tmp_path, keep_nights=3).read_text(encoding="utf-8")
    pages = pages_of(tmp_path)
    assert [page.split("/")[0] for page in pages] == ["2013-03-29", "2013-03-30", "2013-03-31"]
    assert sorted(re.findall(r'href="([^"]+/[^"]+)"', index)) == pages


def test_a_page_shows_each_rule_in_words_and_the_offending_value_escaped(nights, tmp_path):
    data_docs.build(nights, tmp_path, keep_nights=1)
    page = next(tmp_path.glob("*/*.html")).read_text(encoding="utf-8")
    assert "issue_code is no code of the list issue (loss, part_loss," in page
    assert "More than 20 times the median of the last 7 published nights" in page
    assert "&lt;b&gt;weather" in page
    assert "<b>weather" not in page


def test_passed_stands_beside_what_became_of_the_rows(nights, tmp_path):
    index = data_docs.build(nights, tmp_path, keep_nights=1).read_text(encoding="utf-8")
    assert '<td class="passed">passed</td>' in index
    assert "5 rows reported by 3 rules (info)" in index
    assert "Failed rules" not in index
    nights.execute(
        "update audit.validation set result = jsonb_set(result, '{rules}', (select jsonb_agg(case when "
        '(rule ->> \'success\')::boolean then rule else rule || \'{"severity": "warning", "unexpected": 400}\' end) '
        "from jsonb_array_elements(result -> 'rules') as rule))"
    )
    assert "1,200 rows refused by 3 rules (warning)" in data_docs.build(nights, tmp_path).read_text(encoding="utf-8")
    page = next(tmp_path.glob("2013-03-31/*.html")).read_text(encoding="utf-8")
    assert "<h1>landing/feedback/category, 2013-03-31</h1>" in page


def test_no_page_loads_anything_from_elsewhere(nights, tmp_path):
    data_docs.build(nights, tmp_path)
    for page in [*tmp_path.glob("*.html"), *tmp_path.glob("*/*.html")]:
        html = page.read_text(encoding="utf-8")
        assert "<script" not in html
        assert not re.search(r"<(link|img|iframe)[^>]*https?:|url\(\s*['\"]?https?:|@import", html)
        for link in re.findall(r'<(?:link|a)[^>]*href="([^"#?]+)', html):
            assert link.startswith("http") or (page.parent / link).exists(), link


def test_a_second_build_renders_only_what_is_new_and_drops_what_is_old(nights, tmp_path):
    data_docs.build(nights, tmp_path, keep_nights=2)
    kept = tmp_path / pages_of(tmp_path)[0]
    kept.write_text("as it was", encoding="utf-8")
    data_docs.build(nights, tmp_path, keep_nights=2)
    assert kept.read_text(encoding="utf-8") == "as it was"
    data_docs.build(nights, tmp_path, keep_nights=1)
    assert not kept.parent.exists()


def test_a_page_of_an_earlier_warehouse_gives_way(nights, tmp_path):
    stale = tmp_path / "2013-03-31" / "landing_feedback_category-4-20130401000000.html"
    stale.parent.mkdir()
    stale.write_text("stale")
    data_docs.build(nights, tmp_path)
    assert not stale.exists()


def test_a_run_with_a_rule_that_could_not_be_evaluated_has_a_page_too(nights, tmp_path):
    nights.execute("alter table landing.feedback__category rename column issue_code to issue")
    newest = nights.execute("select max(load_id) from audit.load").fetchone()[0]
    with pytest.raises(quality.QualityError, match="could not be evaluated"):
        quality.validate_landing(nights, contracts.table("feedback", "category"), newest, NIGHT)
    data_docs.build(nights, tmp_path, keep_nights=1)
    pages = [page.read_text(encoding="utf-8") for page in tmp_path.glob("*/*.html")]
    assert any("A rule could not be evaluated" in page and "issue_known" in page for page in pages)
