"""A distributed PostgreSQL that stands already (Citus), for the tests that run on one as on the embedded server."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Cluster:
    """A coordinator and its workers, each by a connection string of its superuser; the coordinator first."""

    def __init__(self, nodes: Sequence[str]) -> None:
        self.nodes = nodes
        known = conninfo_to_dict(nodes[0])
        self.host, self.port, self.password = known["host"], int(known["port"]), known.get("password", "")

    def dsn(self, database: str = "postgres", user: str = "postgres", password: str | None = None) -> str:
        """A libpq URL of `database` on the coordinator."""
        return f"postgresql://{user}:{password or self.password}@{self.host}:{self.port}/{database}"

    def create(self, name: str) -> None:
        """Make a database on every node, known to the coordinator as one."""
        for node in self.nodes:
            with psycopg.connect(node, autocommit=True) as connection:
                connection.execute(f"create database {name}")
            with psycopg.connect(make_conninfo(node, dbname=name), autocommit=True) as connection:
                connection.execute("create extension citus")
        with psycopg.connect(self.dsn(name), autocommit=True) as coordinator:
            for node, add in zip(self.nodes, ["citus_set_coordinator_host", *["citus_add_node"] * 2], strict=False):
                known = conninfo_to_dict(node)
                coordinator.execute(f"select {add}(%s, %s)", [known["host"], int(known["port"])])

    def drop(self, name: str) -> None:
        """Drop a database on every node, the workers' first: the coordinator would look for them."""
        with ExitStack() as opened:
            for node in self.nodes:
                opened.enter_context(psycopg.connect(node, autocommit=True)).execute(
                    f"drop database {name} with (force)"
                )
