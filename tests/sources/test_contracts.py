"""What a source table's declaration may not say."""

from __future__ import annotations

import pytest

from crw import contracts
from crw.contracts import ContractError

DECLARED = """
sources:
  - name: hotline
    config: {meta: {reader: folder, connection: drop}}
    tables:
      - name: call
        identifier: hotline__call
        config:
          meta: {key: [call_no], watermark: call_no, withheld: [phone], layout: {files: "*.csv", fill_down: [call_no]}}
        columns:
          - {name: call_no, data_type: text}
"""


@pytest.fixture
def declared(tmp_path, monkeypatch):
    """Reads a declaration as the only one there is."""

    def read(text):
        path = tmp_path / "models/staging/hotline/_sources.yml"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        monkeypatch.setattr(contracts, "DBT_PROJECT", tmp_path)
        return contracts.tables.__wrapped__()

    return read


def test_the_declaration_is_one(declared):
    assert declared(DECLARED)["hotline", "call"].layout.fill_down == ("call_no",)


@pytest.mark.parametrize(
    ("said", "instead", "reason"),
    [
        ("reader: folder", "reader: floppy", "reader 'floppy' is none of api, database, files, folder"),
        ("fill_down: [call_no]", "fill_down: call_no", "layout: fill_down must be a list"),
        ("withheld: [phone]", "withheld: [call_no]", "call_no is withheld and a column"),
        ("withheld: [phone]", "bounds: {pages: 3}", "bounds: .*unexpected keyword argument 'pages'"),
        ("withheld: [phone]", "distribute_by: at", "distribute_by must be a column of the key, not at"),
        ("text}", "text, config: {meta: {codez: club}}}", "column call_no: unknown setting codez"),
        ("text}", "text, config: {meta: {latest: tomorrow}}}", "column call_no: latest must be business_date"),
        ("text}", "text, config: {meta: {references: hotline.call}}}", "column call_no: references hotline.call: not"),
        (
            "text}",
            "text, config: {meta: {references: a.b.c, orphan: fatal}}}",
            "column call_no: orphan must be warning or info",
        ),
    ],
)
def test_a_mistake_is_named_with_table_and_reason(declared, said, instead, reason):
    with pytest.raises(ContractError, match=f"_sources.yml: hotline.call: {reason}"):
        declared(DECLARED.replace(said, instead))


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (None, list(contracts.sources())),
        ("", list(contracts.sources())),
        (" survey, feedback ,", ["feedback", "survey"]),
    ],
)
def test_the_sources_named_take_part_and_all_where_none_is(monkeypatch, named, expected):
    monkeypatch.delenv("CRW_SOURCES", raising=False)
    if named is not None:
        monkeypatch.setenv("CRW_SOURCES", named)
    assert list(contracts.taking_part()) == expected
    assert contracts.taking_part()["survey"] == contracts.sources()["survey"]


def test_a_source_that_is_not_declared_cannot_take_part(monkeypatch):
    monkeypatch.setenv("CRW_SOURCES", "feedback,hotline")
    with pytest.raises(ContractError, match=r"CRW_SOURCES: hotline: the declared sources are campaign, .*, survey$"):
        contracts.taking_part()
