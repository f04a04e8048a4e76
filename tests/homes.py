"""A home of its own for a test: the commands of the README run in it, as a person would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg

from crw.local.postgres import Server, binaries


class Home:
    """A CRW_HOME of its own, with what the tests ask of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CRW"))
        }
        self.environment["CRW_HOME"] = str(folder)

    def crw(self, *command: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run `crw <command>`, with what a person types into it; standard output and error come back together."""
        return subprocess.run(
            [sys.executable, "-m", "crw.local.cli", *command],
            env=self.environment,
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def nightly(self, date: str) -> subprocess.CompletedProcess[str]:
        """Run one night and keep what it printed for the report of a failing test."""
        result = self.crw("nightly", "--date", date)
        print(result.stdout)
        return result

    def start(self, date: str) -> subprocess.Popen[str]:
        """Start one night, to be watched by what it prints, errors too."""
        command = [sys.executable, "-m", "crw.local.cli", "nightly", "--date", date]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def query(self, statement: str, database: str = "warehouse") -> list[tuple]:
        """Run SQL as the superuser; a statement without a result gives an empty list."""
        with psycopg.connect(Server(self.folder / "postgres").dsn(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def holds(self, words: list[str]) -> list[str]:
        """Where the words stand: in a dump of the warehouse or of Airflow's database, but for who is suppressed, or in a file.

        Not looked at are the files that the databases, the sample's sources and the secrets are.
        """
        found = []
        expected = self.folder / "sought"
        expected.write_text("\n".join(words), encoding="utf-8")
        grep = ["grep", "-a", "-i", "-F", "-f", str(expected)]
        begins = ["-e", "COPY ", "-e", "'relname', "]
        for database in ("warehouse", "airflow"):
            dump = [binaries() / "pg_dump", "--statistics", "--exclude-table=audit.suppression", "--dbname"]
            with subprocess.Popen(
                [*dump, Server(self.folder / "postgres").dsn(database)], stdout=subprocess.PIPE
            ) as dumped:
                lines = subprocess.run([*grep, *begins], stdin=dumped.stdout, capture_output=True, text=True).stdout
            assert dumped.returncode == 0
            place = ""
            for line in lines.splitlines():
                if line.startswith("COPY ") or "'relname', " in line:
                    place = line.strip()[:80]
                if any(word.lower() in line.lower() for word in words):
                    found.append(f"{database}: {place}")
        leave = ["--exclude=sought", "--exclude=state.json", "--exclude-dir=data", "--exclude-dir=sources"]
        found += subprocess.run(
            [*grep, "-r", "-l", *leave, str(self.folder)], capture_output=True, text=True
        ).stdout.splitlines()
        expected.unlink()
        return sorted(set(found))

    def marts(self) -> dict[str, list[tuple]]:
        """Content of every published mart, in an order of its own, but of that which tells of the nights themselves."""
        names = self.query(
            "select schemaname || '.' || tablename from pg_tables "
            "where schemaname in ('marts', 'accounts') and tablename <> 'data_health' order by tablename"
        )
        return {name.partition(".")[2]: self.query(f"select m::text from {name} as m order by 1") for (name,) in names}
