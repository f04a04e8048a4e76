"""The operator's folder lies over the shipped seeds, and what is wrong in it is told by file, line, column and reason."""

from __future__ import annotations

import csv

import pytest

from crw import seeds

CODES = "list,code,sort_order,name_en,name_zh,counts_as\n"
LISTS = "list,unknown_code,concepts,description\n"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Write a file of the operator's, and read the seeds as they are with it."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("CRW_SEEDS", str(folder))
    monkeypatch.setattr("crw.settings.HOME", tmp_path / "home")
    return lambda name, text: (folder / f"{name}.csv").write_text(text, encoding="utf-8")


def test_without_a_folder_the_shipped_seeds_are_read_where_they_are(monkeypatch):
    monkeypatch.setenv("CRW_SEEDS", "")
    # In the project: dbt writes over what lies outside.
    assert str(seeds.prepare()) == "seeds"
    assert len(seeds.code_list("district").codes) == 18


def test_a_list_is_replaced_whole_and_the_others_stay(own):
    own("code_list", CODES + "club,Gold,1,Gold,,any\n")
    own("district", "district_code,name_en,name_zh,region\nN,North,,\n")
    assert seeds.code_list("club").codes == ("Gold",)
    assert seeds.code_list("district").codes == ("N",)
    assert "complaint" in seeds.code_list("kind").codes
    folder = seeds.prepare()
    with (folder / "code_list.csv").open(encoding="utf-8", newline="") as lines:
        written = list(csv.DictReader(lines))
    assert [row["code"] for row in written if row["list"] == "club"] == ["Gold"]
    assert {path.name for path in folder.iterdir()} == {path.name for path in seeds.SHIPPED.iterdir()}


def test_a_list_may_refuse_what_is_shipped_as_not_stated(own):
    (shipped,) = (row for row in seeds.rows("list") if row["list"] == "channel")
    own("list", LISTS + f"channel,refused,{shipped['concepts']},Ours\n")
    assert seeds.code_list("channel").unknown == "refused"
    assert seeds.code_list("issue").unknown == "not_stated"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("code_list", CODES + "colour,red,1,Red,,\n", r"code_list\.csv: line 2: column list: 'colour' is none of kind, "),
        ("code_list", CODES + "district,N,1,North,,\n", r"line 2: column list: the codes of district stand in district\.csv"),
        ("code_list", CODES + "club,a,1,A,,any\nclub,Any,2,B,,\n", r"line 3: column code: 'Any' is blank, .* one of all, any"),
        ("code_list", CODES + "club,N/A,1,A,,any\n", r"line 2: column code: 'N/A' is blank"),
        ("code_list", CODES + "club,a,1,A,,any\nclub,A,2,A,,\n", r"line 3: column code: 'A' is in its list twice"),
        ("code_list", CODES + "club,a,first,A,,any\n", r"line 2: column sort_order: 'first' is no whole number"),
        ("code_list", CODES + "club,a,1,A,,all\n", r"line 2: column counts_as: 'all': in list club it must be empty or one of any"),
        ("code_list", CODES + "kind,complaint,1,A,,\n", r"line 2: column counts_as: 'complaint' is a concept of list kind"),
        ("code_list", CODES + "kind,Complaint,1,A,,commendation\n", r"'Complaint' is a concept of list kind, so it must count as it"),
        ("district", "district_code,name_en,name_zh,region\nN,North,,\nn,South,,\n", r"line 3: column district_code: 'n' is in its list"),
        ("code_list", CODES + "club,a,1,A\n", r"code_list\.csv: line 2: it must have 6 values"),
        ("code_list", "list,code\nclub,a\n", r"code_list\.csv: its columns must be list, code, sort_order"),
        ("list", LISTS + "colour,refused,,Ours\n", r"list\.csv: line 2: column list: 'colour' is none of kind, "),
        ("list", LISTS + "club,not_stated,any,Ours\n", r"list\.csv: line 2: column unknown_code: it must be 'refused'"),
        ("list", LISTS + "club,refused,,Ours\n", r"list\.csv: line 2: column concepts: it must be 'any'"),
        ("colours", "code\nred\n", r"CRW_SEEDS=.*: colours\.csv: there is no such seed in "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(own, name, text, message):
    own(name, text)
    with pytest.raises(seeds.SeedError, match=message):
        seeds.prepare()


def test_a_folder_that_is_none_is_named(monkeypatch):
    monkeypatch.setenv("CRW_SEEDS", "no/such/folder")
    with pytest.raises(seeds.SeedError, match="CRW_SEEDS=no/such/folder: no such folder"):
        seeds.prepare()
