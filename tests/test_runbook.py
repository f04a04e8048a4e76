"""The runbook: each of its sections has a test that runs its drill, and each of its commands is one."""

from __future__ import annotations

import ast
import re
import shlex
from functools import cache

import pytest

from crw import standing
from crw.local.arguments import parser
from crw.settings import PROJECT
from tests.test_alerts import RUNBOOK

OF_ALERTS = "test_alerts.py::test_drill"
OF_PERSONS = "e2e/test_night.py::test_no_personal_data_is_in_any_table_log_or_page"
DRILLS = {
    **{section: [OF_ALERTS] for section in standing.SECTIONS.values()},
    "The task `report` is red, or the pages are of an earlier date.": [
        "local/test_night.py::test_a_night_whose_pages_failed_is_red_and_published",
        "e2e/test_night.py::test_the_same_marts_make_the_same_bytes_and_no_page_names_a_company",
    ],
    "`warehouse` did not start.": [
        "test_outstanding.py::test_a_source_that_failed_anew_is_outstanding",
        "e2e/test_night.py::test_a_mended_night_is_built_from_what_every_source_published_since",
    ],
    "The night says that raw holds rows the marts were not built from.": [
        "dbt/test_skipped_build.py::test_marts_views_and_lists_are_made_again_only_where_they_must_be"
    ],
    "Who is told.": ["test_alerts.py::test_a_mail_names_the_fault_and_the_section", OF_ALERTS],
    "Lineage does not arrive.": [
        "test_openlineage.py::test_a_receiver_that_refuses_is_told_in_the_log_once_an_event_and_fails_nothing"
    ],
    "A source is new, or was changed.": [
        "local/test_check.py::test_a_source_that_would_be_published_is_told_with_what_it_costs_and_its_codes_that_no_list_has"
    ],
    "A load or a mart is held.": ["test_held.py::test_by_command", OF_ALERTS],
    "A source is to be left out of the nights, or comes back.": [
        "test_outstanding.py::test_a_source_left_out_of_the_nights_is_not_waited_for",
        "dags/test_policy.py::test_only_the_sources_named_have_nights",
    ],
    "A night was missed.": [
        "test_loads.py::test_intervals_are_half_open_overlap_by_an_hour_and_heal_a_missed_night",
        "e2e/test_histories.py::test_a_night_run_twice_and_a_backfill_of_thirty_dates",
    ],
    "Rows were found late": ["test_reconcile.py::test_what_is_committed_late_or_set_back_is_read_by_the_next_night"],
    "Keys vanished.": ["test_reconcile.py::test_a_key_that_is_gone_is_end_dated_and_may_come_back"],
    "A date is overtaken": [
        "test_reconcile.py::test_a_date_read_after_the_source_has_moved_on_is_known_to_be_overtaken"
    ],
    "A reader was in the way": ["test_roles.py::test_a_readers_open_transaction_is_ended_when_the_night_has_waited"],
    "A reader's limits did not stand": ["test_roles.py::test_the_night_takes_back_what_was_lifted_and_tells_it"],
    "Row security.": ["test_reconcile.py::test_row_security_that_hides_rows_is_an_error_that_names_the_relation"],
    "Rows in quarantine.": ["test_refused.py::test_by_command"],
    "Files were not read.": ["test_unread.py::test_a_file_is_named_each_night_until_it_is_gone"],
    "A file is to be as it was two deliveries ago.": [
        "sources/test_folder.py::test_a_file_put_back_is_read_again_once_a_byte_of_it_is_another"
    ],
    "A newsletter went out after an unsubscribe.": [
        "dbt/test_engagement.py::test_the_mart_and_the_suite_name_the_newsletter_and_not_the_person"
    ],
    "A column is new at the source.": [
        "sources/test_database.py::test_a_column_nobody_declared_is_refused_by_name",
        "test_warehouse.py::test_a_column_new_in_the_contract_is_added",
    ],
    "A column's type changes.": ["test_warehouse.py::test_a_changed_type_is_refused_by_name_until_it_is_migrated"],
    "A process was killed.": [
        "e2e/test_night.py::test_a_night_struck_in_the_middle_and_run_again_loses_and_doubles_nothing",
        "test_loads.py::test_a_load_whose_process_was_killed_fails_when_the_next_of_its_date_starts",
    ],
    "Backup.": ["local/test_backup.py::test_a_new_home_goes_on_from_a_backup_under_its_key_alone"],
    "Restore.": ["local/test_backup.py::test_a_new_home_goes_on_from_a_backup_under_its_key_alone"],
    "Restore to a point in time.": ["local/test_backup.py::test_a_server_that_archives_goes_back_to_a_moment"],
    "A new version.": ["test_warehouse.py::test_a_warehouse_of_the_first_release_is_brought_up_to_date_in_place"],
    "dbt must be rebuilt from raw.": [
        "dbt/test_incremental.py::test_nights_in_turn_equal_one_straight_run",
        "dbt/test_incremental.py::test_only_a_finished_build_of_the_same_project_is_gone_on_from",
    ],
    "A person asks what is held": [OF_PERSONS],
    "A person is to be forgotten.": [OF_PERSONS],
    "A person was erased who should not be, or is a customer again.": [
        "privacy/test_erasure.py::test_who_is_readmitted_is_delivered_as_anybody_and_what_was_erased_stays_so"
    ],
    "The key of the pseudonyms is to be changed": [OF_PERSONS],
    "Retention.": ["privacy/test_retention.py::test_a_person_goes_when_no_table_needs_the_person_and_everywhere"],
}
"""By the beginning of its section, the tests that run it."""

FENCED = re.findall(r"^```(?:sql)?\n(.*?)^```", RUNBOOK, re.S | re.M)
CODE = [*FENCED, *re.findall(r"`([^`\n]+)`", RUNBOOK)]
COMMANDS = [
    line for code in CODE for line in code.splitlines() if re.match(r"(?:\w+=\S+ |docker compose .*)*crw ", line)
]


@cache
def in_file(path):
    """The tests of a file, each with whether `make test` leaves it out."""
    tree = ast.parse((PROJECT / "tests" / path).read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {f.name: any(ast.unparse(d) == "pytest.mark.long" for d in f.decorator_list) for f in functions}


def test_every_section_has_a_drill_that_make_test_runs():
    assert set(re.findall(r"^\*\*(.+?)\*\*", RUNBOOK, re.M)) == set(DRILLS)
    for section, tests in DRILLS.items():
        left_out = [in_file(path)[name] for path, _, name in (test.partition("::") for test in tests)]
        assert not all(left_out), section


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_is_one_that_crw_takes(command):
    words = shlex.split(command.partition("crw ")[2].replace("<source>", "feedback"), comments=True)
    if words[-1] == "..." or len(words) == 1:  # the rest stands elsewhere
        words = [words[0], "--help"]
    try:
        parser().parse_args(words)
    except SystemExit as error:
        assert error.code == 0, command
