"""The pages in a store that all machines reach, by Airflow's ObjectStoragePath: whichever made them, readers look there."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from airflow.sdk import ObjectStoragePath

LISTING = "files.txt"
"""In the store: the names of what was sent, of which alone anything is ever removed."""


def send(site: Path, store: ObjectStoragePath) -> None:
    """Make a store hold a site: what pages show, then the pages, each put in its place when it is whole; then what is gone goes.

    Args:
        site: the folder of a site that is whole.
        store: where it goes; what others keep there stays.
    """
    store.mkdir(parents=True, exist_ok=True)
    listing = store / LISTING
    sent = set(listing.read_text(encoding="utf-8").splitlines()) if listing.exists() else set()
    there = {PurePosixPath(found).relative_to(store.path).as_posix() for found in store.fs.find(store.path)}
    names = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    _list(listing, sent | names)
    for name in sorted(names, key=lambda name: (name.endswith(".html"), name)):
        if not (name in there and _is_named_by_content(PurePosixPath(name))):
            (store / name).parent.mkdir(parents=True, exist_ok=True)
            store.fs.put_file(str(site / name), (store / "draft").path)
            store.fs.mv((store / "draft").path, (store / name).path)
    for name in sent - names:
        (store / name).unlink(missing_ok=True)
    _list(listing, names)


def _list(listing: ObjectStoragePath, names: set[str]) -> None:
    listing.write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")


def _is_named_by_content(name: PurePosixPath) -> bool:
    """Whether what has this name never changes: a chart, or the page of one run of a suite."""
    return name.parts[0] == "charts" or (name.parts[0] == "data_docs" and len(name.parts) == 3)
