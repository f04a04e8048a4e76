"""Pages in a store that all machines reach: whatever machine made them, the store holds them whole, and nothing else of theirs."""

from __future__ import annotations

import threading

import pytest
from airflow.sdk import ObjectStoragePath

from crw import settings, store


def write(site, **pages):
    """A site of these files, `__` for a folder."""
    for name, text in pages.items():
        path = site / name.replace("__", "/").replace("_html", ".html")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return site


def held(folder):
    """What a store holds beside the list of it."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert set(found.pop(store.LISTING).read_text().split()) <= set(found)
    return {name: path.read_text() for name, path in found.items()}


@pytest.fixture
def place(tmp_path):
    """The folder of a store, in which somebody else keeps a file."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "robots.txt").write_text("of others")
    return tmp_path / "store"


def test_the_store_holds_the_newest_site_and_what_others_keep_there(tmp_path, place):
    first = write(tmp_path / "first", index_html="1", annual_html="1", data_docs__2013_html="1", charts__a="a")
    store.send(first, ObjectStoragePath(place.as_uri()))
    assert held(place) == {
        "index.html": "1", "annual.html": "1", "data_docs/2013.html": "1", "charts/a": "a", "robots.txt": "of others"
    }  # fmt: skip
    second = write(tmp_path / "second", index_html="2", data_docs__2013_html="2", charts__b="b")
    store.send(second, ObjectStoragePath(place.as_uri()))
    assert held(place) == {"index.html": "2", "data_docs/2013.html": "2", "charts/b": "b", "robots.txt": "of others"}


def test_what_never_changes_is_sent_once_and_a_page_after_what_it_shows(tmp_path, place):
    site = write(tmp_path / "site", index_html="1", data_docs__2013__run_html="1", charts__a="a", style="s")
    store.send(site, ObjectStoragePath(place.as_uri()))
    before = {path: path.stat().st_ctime_ns for path in place.rglob("*") if path.is_file()}
    (place / "style").unlink()  # as if the one before had been killed
    store.send(site, ObjectStoragePath(place.as_uri()))
    kept = {path.name for path, written in before.items() if path.stat().st_ctime_ns == written}
    assert kept == {"run.html", "a", "robots.txt"}
    assert (place / "style").stat().st_mtime_ns <= (place / "index.html").stat().st_mtime_ns


def test_what_a_killed_one_left_goes_with_the_next(tmp_path, place, monkeypatch):
    site = write(tmp_path / "site", a_html="1", b_html="1", c_html="1")
    address = ObjectStoragePath(place.as_uri())
    moved, move = [], type(address.fs).mv

    def killed(self, source, target):
        if len(moved) == 2:
            raise KeyboardInterrupt
        moved.append(target)
        move(self, source, target)

    monkeypatch.setattr(type(address.fs), "mv", killed)
    with pytest.raises(KeyboardInterrupt):
        store.send(site, address)
    monkeypatch.undo()
    store.send(write(tmp_path / "next", d_html="2"), address)
    assert held(place) == {"d.html": "2", "robots.txt": "of others"}


def test_two_machines_that_send_at_once_do_not_send_each_others_pages(tmp_path, place, monkeypatch):
    first, second = (write(tmp_path / name, **{f"{name}_html": name}) for name in ("first", "second"))
    address = ObjectStoragePath(place.as_uri())
    put, meanwhile = type(address.fs).put_file, [second]

    def put_file(self, source, target):
        put(self, source, target)
        if meanwhile:
            store.send(meanwhile.pop(), address)

    monkeypatch.setattr(type(address.fs), "put_file", put_file)
    store.send(first, address)
    assert held(place) == {"first.html": "first", "second.html": "second", "robots.txt": "of others"}


def test_another_machine_begins_with_what_the_store_has(tmp_path, place, monkeypatch):
    first = write(
        tmp_path / "first", a_html="1", charts__a="a", data_docs__2013__run_html="1", dbt_docs__index_html="d"
    )
    address = ObjectStoragePath(place.as_uri())
    store.send(first, address)
    (tmp_path / "other").mkdir()
    store.take_up(address, tmp_path / "other")
    assert {path.relative_to(tmp_path / "other").as_posix() for path in (tmp_path / "other").rglob("*")} == {
        "site", "site-before", "site-before/charts", "site-before/charts/a", "data_docs", "data_docs/2013",
        "data_docs/2013/run.html", "dbt_docs", "dbt_docs/index.html",
    }  # fmt: skip
    assert (tmp_path / "other" / "site" / "charts" / "a").read_text() == "a"


def test_what_is_made_goes_to_the_store_and_what_failed_does_not(tmp_path, place, monkeypatch):
    monkeypatch.setenv("CRW_SCRATCH", str(tmp_path / "scratch"))
    monkeypatch.setenv("CRW_PAGES", place.as_uri())
    with store.home() as home:
        write(home / "site", a_html="1")
    with pytest.raises(KeyError), store.home() as home:
        write(home / "site", a_html="2")
        raise KeyError
    assert held(place) == {"a.html": "1", "robots.txt": "of others"}
    assert store.start_page() == f"{place.as_uri()}/index.html"
    assert list((tmp_path / "scratch").iterdir()) == []
    monkeypatch.setenv("CRW_PAGES", "")
    with store.home() as home:
        assert home == settings.HOME
    assert store.start_page() == (settings.HOME / "site" / "index.html").as_uri()


def test_a_reader_never_meets_half_a_page(tmp_path, place):
    sites = [write(tmp_path / f"{n}", index_html=f"{n}" * 1_000_000) for n in (1, 2)]
    address = ObjectStoragePath(place.as_uri())
    store.send(sites[0], address)
    done, seen = threading.Event(), set()

    def read():
        while not done.is_set():
            seen.add(len((place / "index.html").read_text()))

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(40):
        store.send(sites[n % 2], address)
    done.set()
    reader.join()
    assert seen == {1_000_000}
