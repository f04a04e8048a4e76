"""Where the pages are: the state folder, or a store that all machines reach, so that any of them may make the next ones."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from airflow.sdk import ObjectStoragePath
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from crw import settings
from crw.sources import scratch

LISTING = "files.txt"
"""In the store: the names of what was sent, of which alone anything is ever removed."""

TAKEN_UP = ("charts", "data_docs", "dbt_docs")
"""The folders of a site from which the next one is made."""


@contextmanager
def home() -> Iterator[Path]:
    """The folder to make pages in, as `site.build` has it: the state folder, where no store is named.

    CRW_PAGES names one, an address of Airflow's ObjectStoragePath (`file:///...`, `s3://connection@bucket/...`). Then it is a scratch
    folder that has what the store has of the site before, and the new site is sent to the store at the end. Nothing stays here.
    """
    if not (address := os.environ.get("CRW_PAGES")):
        yield settings.HOME
        return
    store = ObjectStoragePath(address)
    with scratch.folder() as room:
        folder = room / "home"  # the room itself is locked as long as it is in use, and a home is while a site is built
        folder.mkdir()
        take_up(store, folder)
        yield folder
        if (folder / "site").exists():
            send((folder / "site").resolve(), store)


def start_page() -> str:
    """Where a reader begins, in the state folder or in the store."""
    address = os.environ.get("CRW_PAGES") or (settings.HOME / "site").as_uri()
    return f"{address.rstrip('/')}/index.html"


def take_up(store: ObjectStoragePath, folder: Path) -> None:
    """Put what a store has of its site into an empty folder: the site, and beside it what is built apart from it."""
    names = [name for name in _sent(store) & _there(store) if PurePosixPath(name).parts[0] in TAKEN_UP]
    before = folder / "site-before"
    for parent in {(before / name).parent for name in names}:
        parent.mkdir(parents=True, exist_ok=True)
    store.fs.get([(store / name).path for name in names], [str(before / name) for name in names])
    if names:
        (folder / "site").symlink_to(before.name)
    for name in ("data_docs", "dbt_docs"):
        if (before / name).exists():
            (before / name).rename(folder / name)


def send(site: Path, store: ObjectStoragePath) -> None:
    """Make a store hold a site: what pages show, then the pages, each put in its place when it is whole; then what is gone goes.

    Args:
        site: the folder of a site that is whole.
        store: where it goes; what others keep there stays.
    """
    store.mkdir(parents=True, exist_ok=True)
    sent, there = _sent(store), _there(store)
    names = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    draft = f"draft-{uuid.uuid4().hex}"  # another machine may be sending, too
    _list(store, sent | names | {draft})
    for name in sorted(names, key=lambda name: (name.endswith(".html"), name)):
        if not (name in there and _is_named_by_content(PurePosixPath(name))):
            (store / name).parent.mkdir(parents=True, exist_ok=True)
            _put(site / name, store / draft, store / name)
    for name in sent - names:
        (store / name).unlink(missing_ok=True)
    _list(store, names)


@retry(retry=retry_if_exception_type(FileNotFoundError), stop=stop_after_attempt(3), reraise=True)
def _put(file: Path, draft: ObjectStoragePath, place: ObjectStoragePath) -> None:
    """Again, where another machine ended meanwhile, and took the draft for one that was left behind."""
    draft.fs.put_file(str(file), draft.path)
    draft.fs.mv(draft.path, place.path)


def _sent(store: ObjectStoragePath) -> set[str]:
    listing = store / LISTING
    return set(listing.read_text(encoding="utf-8").splitlines()) if listing.exists() else set()


def _there(store: ObjectStoragePath) -> set[str]:
    return {PurePosixPath(found).relative_to(store.path).as_posix() for found in store.fs.find(store.path)}


def _list(store: ObjectStoragePath, names: set[str]) -> None:
    (store / LISTING).write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")


def _is_named_by_content(name: PurePosixPath) -> bool:
    """Whether what has this name never changes: a chart, or the page of one run of a suite."""
    return name.parts[0] == "charts" or (name.parts[0] == "data_docs" and len(name.parts) == 3)
