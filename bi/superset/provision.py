"""Put a bundle of assets into Superset, and take out what an earlier one put there and this one does not hold.

Runs in Superset's own environment, in one process with it: the command-line import exits 0 on a bundle that is not valid,
and never takes anything out. Standard input is the bundle as JSON; `main` says of what parts.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml
from flask_migrate import upgrade

from superset.app import create_app

RECORD = Path(os.environ["CRW_SUPERSET_HOME"]) / "provisioned.json"


def main() -> None:
    """Bring the metadata up to date, make or mend the account, import, prune.

    The bundle has `digest`, what it and its setting are known by; `account` with `user` and `password`; `passwords` of
    databases by their file; `files`, the content of each asset by its place.
    """
    wanted = json.load(sys.stdin)
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    app = create_app()
    with app.app_context():
        upgrade()
        account = _account(app, **wanted["account"])
        _import(account, wanted)
        pruned = _prune(known.get("assets", {}), wanted["files"])
    assets = {path: content["uuid"] for path, content in wanted["files"].items() if "uuid" in content}
    RECORD.write_text(json.dumps({"digest": wanted["digest"], "assets": assets}))
    print(f"{len(assets)} assets provisioned, {pruned} taken out")


def _account(app: Any, user: str, password: str) -> Any:
    """The account that people log in with; its password is the home's, also after somebody changed it."""
    security = app.appbuilder.sm
    # Without it Admin gets 403 everywhere.
    app.appbuilder.add_permissions(update_perms=True)
    security.sync_role_definitions()
    found = security.find_user(username=user)
    if found is None:
        admin = security.find_role("Admin")
        return security.add_user(user, "Customer", "Relations", f"{user}@localhost", admin, password=password)
    security.reset_password(found.id, password)
    return found


def _import(account: Any, wanted: dict[str, Any]) -> None:
    # What Superset defines needs an application that exists.
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.utils.core import override_user

    contents = {path: yaml.safe_dump(content, allow_unicode=True) for path, content in wanted["files"].items()}
    with override_user(account):
        try:
            ImportAssetsCommand(contents, passwords=wanted["passwords"]).run()
        except Exception as error:
            details = getattr(error, "normalized_messages", lambda: "")() or error.__cause__ or ""
            raise SystemExit(f"Superset refuses the assets: {error} {details}") from error


def _prune(before: dict[str, str], files: dict[str, Any]) -> int:
    """Take out what was provisioned before and is no longer made; what people made themselves stays."""
    from superset import db
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.core import Database
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    kinds = {"dashboards": Dashboard, "charts": Slice, "datasets": SqlaTable, "databases": Database}
    kept = {content.get("uuid") for content in files.values()}
    pruned = 0
    for folder, model in kinds.items():
        gone = [uuid for path, uuid in before.items() if path.startswith(f"{folder}/") and uuid not in kept]
        for asset in db.session.query(model).filter(model.uuid.in_(gone)) if gone else ():
            db.session.delete(asset)
            pruned += 1
        db.session.flush()
    db.session.commit()
    return pruned


if __name__ == "__main__":
    main()
