"""Every landing suite, made and particular: what it must hold, and each of its row rules seen failing on a row planted for it."""

import re
from datetime import date, timedelta

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from crw import contract_rules, contracts, ledger, quality, suites
from crw.settings import EXPECTATIONS
from tests.conftest import new_database
from tests.planted import BAD, GOOD
from tests.planted.values import FUTURE

NIGHT = date(2013, 3, 31)
TABLES = sorted(contracts.tables())
# Measured by the busiest night of two months, not by the median of a week; and how many rows more are no fault.
BURSTS = {
    ("engagement", "email_event"): 1000,
    ("campaign", "campaign_contact"): 100_000,
    ("campaign", "account_assignment"): 100_000,
}
EARLY_LATE = {
    "_before_interval_end": FUTURE,
    "_not_ahead": "2099-01-01 00:00+08",
    "_after_interval_start": "2012-12-31 00:00+08",
}


def is_told_by_the_reader(table, column):
    """Whether our own reader tells the column, so that a mistake in it is ours."""
    return column.provenance or table.reader == "files"


# Besides, the one list without which nobody can say what is counted. Elsewhere a bad record is refused alone.
STOPPED = [
    name
    for name in TABLES
    if name == ("feedback", "category")
    or any(
        is_told_by_the_reader(contracts.table(*name), column) or column.pseudonym_of
        for column in contracts.table(*name).columns
    )
]


def insert(database, table, row, i):
    values = {name: value.format(i=i) if isinstance(value, str) else value for name, value in row.items()}
    values = {name: Jsonb(value) if isinstance(value, (dict, list)) else value for name, value in values.items()}
    names = sql.SQL(", ").join(map(sql.Identifier, values))
    marks = sql.SQL(", ").join(sql.Placeholder() * len(values))
    statement = sql.SQL("insert into {} ({}) values ({}) returning _row_no")
    target = sql.Identifier("landing", table.identifier)
    return database.execute(statement.format(target, names, marks), list(values.values())).fetchone()[0]


def start_load(database, table, rows_read, night=NIGHT, since="2013-01-01 00:00+08"):
    return database.execute(
        "insert into audit.load (source, table_name, business_date, run_id, interval_start, interval_end, rows_read) "
        "values (%s, %s, %s, 'r', %s, %s::date + interval '1 day', %s) returning load_id",
        [table.source, table.name, night, since, night, rows_read],
    ).fetchone()[0]


def suite_of(source, name):
    return suites.of_landing(contracts.table(source, name), EXPECTATIONS / "landing")


def spoilt_rows(table):
    """(rule, row) of everything planted in the table: what BAD says, and what follows from the contract."""
    good = GOOD[table.source, table.name]
    rows = [(rule, good | changes) for rule, changes in BAD[table.source, table.name]]
    rows += [("watermark" + rule, good | {table.watermark: value}) for rule, value in EARLY_LATE.items()]
    for column in table.columns:
        if column.required:
            rows.append((f"{column.name}_present", good | {column.name: None}))
        if column.required and column.codes:
            rows.append((f"{column.name}_present", good | {column.name: "n/a"}))
        if longest := contract_rules.longest(column):
            orphan = f" {re.sub('_(code|id|no)$', '', column.name)}_exists" if column.references else ""
            rows.append((f"{column.name}_not_too_long{orphan}", good | {column.name: "x" * (longest + 1)}))
        if column.name in table.key and column.type == "text" and not column.provenance:
            also = " delivery_id_length delivery_id_hexadecimal" if table.identifier == "survey__delivery" else ""
            rows.append((f"{column.name}_not_blank{also}", good | {column.name: "\u3000 \ufeff"}))
    return rows


@pytest.fixture(scope="module")
def all_landed(server, installed):
    """Name of a warehouse to copy, with 60 good rows in each landing table: enough for any row to refer to."""
    with new_database(server, installed) as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            for name, row in GOOD.items():
                for i in range(1, 61):
                    insert(connection, contracts.table(*name), row, i)
            name = connection.info.dbname
        yield name


@pytest.fixture
def landed(server, all_landed):
    """A function that opens such a warehouse with so many rows of one table."""
    with new_database(server, all_landed) as dsn, psycopg.connect(dsn, autocommit=True) as connection:

        def landed(table, good_rows):
            connection.execute(
                sql.SQL("delete from {} where _row_no > %s").format(sql.Identifier("landing", table.identifier)),
                [good_rows],
            )
            return connection

        yield landed


@pytest.mark.parametrize(("source", "name"), TABLES)
def test_a_suite_has_the_rules_every_table_needs(source, name):
    table, suite = contracts.table(source, name), suite_of(source, name)
    rules = {rule["meta"]["rule"]: rule for rule in suite["expectations"]}
    needed = {"volume_extreme", "volume_unusual", "watermark_before_interval_end", "key_unique"}
    needed |= {f"{column.name}_present" for column in table.columns if column.required}
    assert needed <= rules.keys()
    key = {name: rules[f"{name}_present"]["severity"] for name in table.key}
    assert key == {
        name: "critical" if is_told_by_the_reader(table, table.column(name)) else "warning" for name in table.key
    }
    made = {rule["meta"]["rule"] for rule in contract_rules.of(table)}
    particular = {rule["meta"]["rule"] for rule in suite["expectations"]} - made
    assert list(rules) == sorted(rules, key=lambda rule: rule in particular)
    assert suite["meta"]["description"]
    assert 0 < suite["meta"]["quarantine_threshold"] <= 0.1
    columns = {rule["kwargs"].get(k) for rule in rules.values() for k in ("column", "column_A", "column_B")} - {None}
    columns |= {rule["meta"]["column"] for rule in rules.values() if "column" in rule["meta"]}
    assert columns <= set(table.column_names)


def test_every_file_is_of_a_table():
    found = {(path.parent.name, path.stem) for path in (EXPECTATIONS / "landing").glob("*/*.json")}
    assert found <= set(TABLES)


def test_a_rule_about_a_row_is_a_condition_and_no_query_of_its_own():
    """What is left as a query compares rows, looks at other tables, or asks of each text once what asked of each row is dear."""
    queries = [
        rule["kwargs"]["unexpected_rows_query"]
        for source, name in TABLES
        for rule in suite_of(source, name)["expectations"]
        if "unexpected_rows_query" in rule["kwargs"]
    ]
    assert [
        query
        for query in queries
        if re.fullmatch(
            r"select _row_no, .+? as value from \{batch\} where (?!.* not exists )(?!.*\(select distinct ).*", query
        )
    ] == []
    assert len(queries) < 5 * len(TABLES)


def test_postgresql_may_count_the_conditions_of_every_suite_in_several_processes(database):
    """Which it does not as soon as one of them is a subquery of the row."""
    database.execute("set min_parallel_table_scan_size = 0; set parallel_setup_cost = 0; set parallel_tuple_cost = 0")
    in_one = []
    for source, name in TABLES:
        conditions = [rule["kwargs"].get("condition", "false") for rule in suite_of(source, name)["expectations"]]
        counts = ", ".join(f"count(*) filter (where {condition})" for condition in conditions)
        for of_the_load in set(re.findall(r"\{(\w+)\}", counts)):
            counts = counts.replace(f"{{{of_the_load}}}", "current_date")
        plan = database.execute(f"explain select {counts} from landing.{source}__{name}").fetchall()
        if not any("Partial Aggregate" in step for (step,) in plan):
            in_one.append((source, name))
    assert in_one == []


def test_a_typed_date_is_read_once_however_many_rows_have_it(database):
    rules = {rule["meta"]["rule"]: rule["kwargs"] for rule in suite_of("feedback", "cases")["expectations"]}
    query = rules["incident_date_readable"]["unexpected_rows_query"].format(batch="landing.feedback__cases")
    database.execute(
        "insert into landing.feedback__cases (incident_date_text) "
        "select (array['5/11/2012', '30/2/2012', 'NA', null])[1 + n % 4] from generate_series(1, 4000) as n"
    )
    with database.transaction():
        database.execute("set local track_functions = 'pl'")
        assert database.execute(f"select count(*), min(value), max(value) from ({query}) as refused").fetchone() == (
            1000, "30/2/2012", "30/2/2012",
        )  # fmt: skip
        calls = "select calls from pg_stat_xact_user_functions where funcname = 'typed_date'"
        assert database.execute(calls).fetchone() == (2,)  # NA is nothing


@pytest.mark.parametrize(("source", "name"), TABLES)
def test_every_row_rule_has_a_row_planted_for_it(source, name):
    rules = suite_of(source, name)["expectations"]
    planted = {rule for rules, _ in spoilt_rows(contracts.table(source, name)) for rule in rules.split()} | {
        "key_unique"
    }
    assert {rule["meta"]["rule"] for rule in rules if suites.is_row_rule(rule)} <= planted


@pytest.mark.parametrize(("source", "name"), TABLES)
def test_a_warning_moves_the_planted_rows_and_no_others(landed, source, name):
    table = contracts.table(source, name)
    severity = {rule["meta"]["rule"]: rule["severity"] for rule in suite_of(source, name)["expectations"]}
    database = landed(table, good_rows=20)
    expected, informed = {}, set()
    for i, (planted, row) in enumerate(spoilt_rows(table), start=21):
        rules = set(planted.split())
        if "critical" not in {severity.get(rule) for rule in rules}:
            row_no = insert(database, table, row, i)
            informed |= {rule for rule in rules if severity[rule] == "info"}
            expected |= {row_no: rules - informed} if rules - informed else {}
    earlier = insert(database, table, GOOD[source, name] | {table.watermark: "2013-03-30 11:59+08"}, 60)
    insert(database, table, GOOD[source, name], 60)
    outcome = quality.validate_landing(database, table, start_load(database, table, 2000), NIGHT)
    moved = database.execute(
        "select row_no, array_agg(reason ->> 'rule') "
        "from quarantine.record, jsonb_array_elements(reasons) reason group by 1"
    )
    assert {row_no: set(rules) for row_no, rules in moved} == expected | {earlier: {"key_unique"}}
    assert {result.rule for result in outcome.results if result.severity == "info" and not result.success} == informed
    assert outcome.quarantined == len(expected) + 1


@pytest.mark.parametrize(("source", "name"), TABLES)
def test_a_rule_about_a_row_stops_only_where_the_reader_may_be_wrong(source, name):
    rules = suite_of(source, name)["expectations"]
    stopping = [rule for rule in rules if rule["severity"] == "critical" and suites.is_row_rule(rule)]
    assert bool(stopping) == ((source, name) in STOPPED)


@pytest.mark.parametrize(("source", "name"), STOPPED)
def test_every_critical_row_rule_stops_the_load_and_is_named(landed, source, name):
    table = contracts.table(source, name)
    severity = {rule["meta"]["rule"]: rule["severity"] for rule in suite_of(source, name)["expectations"]}
    database = landed(table, good_rows=3)
    critical = [(rule, row) for rule, row in spoilt_rows(table) if severity.get(rule) == "critical"]
    for i, (_, row) in enumerate(critical, start=21):
        insert(database, table, row, i)
    with pytest.raises(quality.QualityError) as failure:
        quality.validate_landing(database, table, start_load(database, table, 1000), NIGHT)
    assert {rule for rule, _ in critical} <= {rule for rule in severity if f"rule {rule} failed" in str(failure.value)}
    assert database.execute("select count(*) from quarantine.record").fetchone() == (0,)


class Volumes:
    """Nights of a table that brings nothing but a number of rows."""

    def __init__(self, database, source, name):
        self.database, self.table = database, contracts.table(source, name)

    def judge(self, rows, night=NIGHT, days=1):
        """The rules that a load of so many rows fails, read over so many days."""
        load_id = start_load(self.database, self.table, rows, night, night - timedelta(days=days - 1, hours=1))
        try:
            outcome = quality.validate_landing(self.database, self.table, load_id, night)
        except quality.QualityError as error:
            ledger.fail(self.database, ledger.find_load(self.database, self.table, load_id), error)
            return str(error)
        return [result.rule for result in outcome.results if not result.success]

    def publish(self, rows, night=NIGHT):
        self.database.execute(
            "insert into audit.load (source, table_name, business_date, run_id, state, interval_start, interval_end, rows_read, "
            "rows_published, rows_unchanged, rows_quarantined) "
            "values (%s, %s, %s, 'r', 'published', '2013-01-01', '2013-01-02', %s, %s, 0, 0)",
            [self.table.source, self.table.name, night, rows, rows],
        )


@pytest.mark.parametrize(("source", "name"), TABLES)
def test_volume_is_held_against_the_nights_that_brought_rows(database, source, name):
    volumes = Volumes(database, source, name)
    assert volumes.judge(10**6) == []
    for day, rows in enumerate([10**6, *[10] * 7, 0, 0], start=1):
        volumes.publish(rows, date(2013, 3, day))
    nights, usual = (8, 10**6) if (source, name) in BURSTS else (7, 10)
    most = 20 * usual + BURSTS.get((source, name), 1000)
    assert volumes.judge(most) == ["volume_unusual"]
    said = rf"rule volume_extreme failed .*rows_read={most + 1}, days=1, nights={nights}, usual={usual}\b"
    assert re.search(said, volumes.judge(most + 1))


def test_a_source_that_grows_is_stopped_once_and_then_believed(database):
    volumes = Volumes(database, "feedback", "cases")
    for day in range(1, 31):
        volumes.publish(100, date(2013, 3, day))
    assert "volume_extreme" in volumes.judge(5000)
    # The next night reads what was refused, and its own; nobody has done anything.
    assert volumes.judge(10_000, date(2013, 4, 1), days=2) == ["volume_unusual"]
    for day in range(1, 9):
        volumes.publish(5000 * day, date(2013, 4, day))
        assert "volume_extreme" not in volumes.judge(5000 * (day + 1), date(2013, 4, day + 1))
    # What runs away from there is stopped again, and no refusal of before the last published night counts.
    assert "volume_extreme" in volumes.judge(2_000_000, date(2013, 4, 9))


def test_only_a_refusal_for_the_volume_is_a_first_time(database):
    volumes = Volumes(database, "feedback", "cases")
    volumes.publish(100, date(2013, 3, 30))
    killed = start_load(database, volumes.table, 5000, NIGHT)
    ledger.fail(database, ledger.find_load(database, volumes.table, killed), ledger.LoadError("left unfinished"))
    assert "volume_extreme" in volumes.judge(5000)
    assert "volume_extreme" not in volumes.judge(5000)


def test_the_nights_that_were_missed_are_no_growth(database):
    volumes = Volumes(database, "feedback", "cases")
    for day in range(1, 11):
        volumes.publish(1000, date(2013, 3, day))
    assert volumes.judge(31_000, days=20) == ["volume_unusual"]
    assert "volume_extreme" in volumes.judge(31_000)


def test_what_a_row_refers_to_may_be_published_already(database):
    database.execute("create table raw.published partition of raw.feedback__category default")
    database.execute(
        "insert into raw.feedback__category values ('C1', 'complaint', null, 'a', 'a', now(), 1, '2013-03-30')"
    )
    table = contracts.table("feedback", "cases")
    insert(database, table, GOOD["feedback", "cases"], 1)
    assert quality.validate_landing(database, table, start_load(database, table, 1), NIGHT).quarantined == 0
