"""Which room of the code may know which, read from the imports themselves."""

from __future__ import annotations

import ast
import re

from crw.settings import PROJECT

PACKAGE = PROJECT / "include" / "crw"
ONE_COMMAND_RUN = PACKAGE / "local" / "samples.py"


def imported(path):
    """Every module that a file imports, within functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def users_of(*names):
    """The files of the package that import one of the modules, or of what lies in them."""
    return {
        path
        for path in PACKAGE.rglob("*.py")
        if any(module == name or module.startswith(f"{name}.") for module in imported(path) for name in names)
    }


def test_only_the_one_command_run_knows_the_made_up_operator():
    assert users_of("sample_operator") == {ONE_COMMAND_RUN}


def test_what_a_deployment_runs_knows_nothing_of_the_one_machine_run():
    outside = {path for path in users_of("crw.local") if PACKAGE / "local" not in path.parents}
    assert outside == set()


def test_pages_know_the_published_marts_alone():
    rooms = (
        "warehouse",
        "landing",
        "ledger",
        "publish",
        "quality",
        "quarantine",
        "transform",
        "connections",
        "sources",
    )
    report = set((PACKAGE / "report").glob("*.py"))
    assert users_of(*(f"crw.{room}" for room in rooms)) & report == set()
    rooms_of_the_database = re.compile(r"\b(landing|raw|quarantine|audit|staging|core|candidate|as_of)\.\w")
    assert [path.name for path in report if rooms_of_the_database.search(path.read_text(encoding="utf-8"))] == []


def test_sources_know_no_warehouse_and_landing_knows_no_source():
    sources = {path for path in (PACKAGE / "sources").rglob("*.py")}
    assert users_of("crw.warehouse", "crw.landing", "crw.ledger", "crw.publish", "crw.quality") & sources == set()
    assert PACKAGE / "landing.py" not in users_of(
        *(f"crw.sources.{path.stem}" for path in sources if path.stem != "__init__")
    )
