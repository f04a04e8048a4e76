"""What is unusual and waits for a person: loads, marts and vanished keys that a rule holds, and what was decided of them.

A decision is a row of audit.approval that the gate reads, for that rule, table and date only. Airflow's DAG `held` and the commands
`crw approve` and `crw reject` write nothing else; the DAG `approved` publishes what was let pass. What is wrong in itself is not
held, and nobody can let it pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from psycopg import Connection, sql

from crw import contracts, ledger
from crw.ledger import LoadError
from crw.warehouse import landing_table

MARTS = "marts"
"""What stands for the source where a mart is held."""

QUARANTINE_SHARE = "quarantine_share"
"""Name of the rule that holds a load of which too many rows are bad."""

VANISHED = "vanished"
"""Name of the rule that holds what vanished; the rest of its load is published."""


@dataclass(frozen=True)
class Held:
    """One rule that holds a source table, or a mart (`source` is then `marts`), on a business date."""

    source: str
    table_name: str
    business_date: date
    rule: str
    message: str | None

    @property
    def name(self) -> str:
        """As `approve` and `reject` take it."""
        return f"{self.source}.{self.table_name}"


def waiting(connection: Connection) -> list[Held]:
    """All that waits for a decision, the oldest first."""
    rows = connection.execute(
        "select source, table_name, business_date, rule, message from audit.held order by since, source, table_name, rule"
    )
    return [Held(*row) for row in rows]


def to_publish(connection: Connection) -> list[tuple[str, date]]:
    """Sources, or `marts`, and dates of which something is approved and not published, the oldest first.

    Not while more of it waits for a person, nor where something failed: that is somebody's to mend and run again, which then takes up
    what is approved.
    """
    return connection.execute(
        "select distinct source, business_date from audit.approved as a where not exists ("
        "select from audit.held as h where h.source = a.source and h.business_date = a.business_date) "
        "and not exists (select from (select distinct on (table_name) state from audit.load as l "
        "where l.source = a.source and l.business_date = a.business_date order by table_name, load_id desc) as newest "
        "where state in ('failed', 'rejected', 'superseded')) "
        "and not (source = %s and exists (select from audit.failed_task as f where f.dag_id = 'warehouse' and f.noted_at > ("
        "select max(approved_at) from audit.approval as p where p.source = a.source and p.business_date = a.business_date))) "
        "order by 2, 1",
        [MARTS],
    ).fetchall()


def approved(connection: Connection, source: str, name: str, business_date: date) -> frozenset[str]:
    """The rules that a person lets pass for the table and date: those of which the last decision is to approve."""
    rows = connection.execute(
        "select rule from (select distinct on (rule) rule, decision from audit.approval where source = %s and table_name = %s "
        "and business_date = %s order by rule, approval_id desc) as last where decision = 'approved'",
        [source, name, business_date],
    )
    return frozenset(rule for (rule,) in rows)


def approve(connection: Connection, name: str, business_date: date, rule: str, reason: str, by: str) -> Held:
    """Write down that a person lets pass what a rule holds. The date run again publishes the batch that waits in landing.

    Args:
        connection: autocommit, to the warehouse.
        name: `<source>.<table>`, or `marts.<mart>`.
        business_date: the night on which it is held.
        rule: the rule that holds it.
        reason: why, without personal data.
        by: who says so.

    Raises:
        LoadError: no reason or name is given, or the rule holds nothing there; if it failed, what failed is wrong in itself.
    """
    with connection.transaction():
        found = _find(connection, name, business_date, rule)
        _decide(connection, found, "approved", reason, by)
    return found


def reject(connection: Connection, name: str, business_date: date, rule: str, reason: str, by: str) -> Held:
    """Write down that a person refuses what a rule holds, and drop its batch; the next night reads the interval again.

    What was rejected is not believed when it comes again. Of a mart nothing is dropped: readers keep last night's. Arguments and
    errors are those of `approve`.
    """
    with connection.transaction():
        found = _find(connection, name, business_date, rule)
        _decide(connection, found, "rejected", reason, by)
        if found.source == MARTS:
            connection.execute(
                "update audit.validation set is_rejected = true where validation_id = "
                "(select max(validation_id) from audit.validation where suite = %s)",
                [f"marts/{found.table_name}"],
            )
        elif rule != VANISHED:
            table = contracts.table(found.source, found.table_name)
            load = ledger.newest_load(connection, table, business_date)
            ledger.lock(connection, load, "held")
            connection.execute(sql.SQL("delete from {}").format(landing_table(table)))
            ledger.drop(connection, load, "rejected", f"rejected by {by}: {reason}")
    return found


def _find(connection: Connection, name: str, business_date: date, rule: str) -> Held:
    source, _, table_name = name.partition(".")
    row = connection.execute(
        "select source, table_name, business_date, rule, message from audit.held_by_date "
        "where source = %s and table_name = %s and business_date = %s and rule = %s",
        [source, table_name, business_date, rule],
    ).fetchone()
    if row:
        return Held(*row)
    suite = f"marts/{table_name}" if source == MARTS else f"landing/{source}/{table_name}"
    (is_wrong,) = connection.execute(
        "select exists (select from audit.rule_result where suite = %s and business_date = %s and rule = %s "
        "and severity = 'critical' and not success and validation_id = "
        "(select max(validation_id) from audit.validation where suite = %s and business_date = %s and not success and held is null))",
        [suite, business_date, rule, suite, business_date],
    ).fetchone()
    if is_wrong:
        raise LoadError(
            f"{name} for {business_date}: what failed {rule} is wrong in itself, or came with what is, and cannot be approved: "
            "mend the source, or the rule"
        )
    raise LoadError(f"{name} for {business_date}: {rule} holds nothing")


def _decide(connection: Connection, found: Held, decision: str, reason: str, by: str) -> None:
    if not (reason.strip() and by.strip()):
        raise LoadError(f"{found.name} for {found.business_date}: a decision on {found.rule} needs a reason and a name")
    connection.execute(
        "insert into audit.approval (source, table_name, business_date, rule, decision, reason, approved_by) "
        "values (%s, %s, %s, %s, %s, %s, %s)",
        [found.source, found.table_name, found.business_date, found.rule, decision, reason, by],
    )
