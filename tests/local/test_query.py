"""What `crw sql` prints, to a terminal, a file and a spreadsheet."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys

import pytest

HOSTILE = """select e'\\x1b]0;owned\\x07' as "t\x1b[2J", e'a\\nb' as lines, U&'\\202Edcba\\009B2J' as turned, '五月' as zh, null as none"""
FORMULAS = "select '=1+1' as a, '@sum' as \"+b\", -5 as c, -0.5 as d, e'\\t=1' as e, array['=x'] as f, '-' as g"
RUN = "import sys; from crw.local import query; query.run(*sys.argv[1:3], len(sys.argv) > 3)"


def printed(server, statement, *spreadsheet):
    command = [sys.executable, "-c", RUN, server.dsn(), statement, *spreadsheet]
    return subprocess.run(command, capture_output=True, text=True).stdout


def shown_on_a_terminal(server, statement):
    """What reaches a terminal on standard output and error."""
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", RUN, server.dsn(), statement], stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # Linux's way to say that the other end is closed
        pass
    os.close(ours)
    return shown.decode()


@pytest.mark.parametrize(
    "statement", [HOSTILE, "do $$ begin raise notice e'\\x1b[2J'; end $$", "select e'\\x1b[2J'::integer"]
)
def test_a_terminal_obeys_nothing_that_a_query_gives(server, statement):
    shown = shown_on_a_terminal(server, statement)
    assert "\\x1b" in shown
    assert not set(shown) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert ("五月" in shown) == (statement == HOSTILE)


def test_a_file_gets_what_the_database_holds(server):
    assert printed(server, HOSTILE) == 't\x1b[2J,lines,turned,zh,none\n\x1b]0;owned\x07,"a\nb",\u202edcba\x9b2J,五月,\n'
    assert printed(server, FORMULAS) == "a,+b,c,d,e,f,g\n=1+1,@sum,-5,-0.5,\t=1,['=x'],-\n"


def test_a_document_of_json_is_read_as_one(server):
    document = """{"none": null, "is": true, "zh": "五月"}"""
    given = printed(server, f"select '{document}'::json, '[{document}]'::jsonb")
    assert [json.loads(cell) for cell in list(csv.reader(given.splitlines()))[1]] == [
        json.loads(document),
        [json.loads(document)],
    ]


def test_no_query_and_a_schema_that_is_not_the_readers_are_answered_with_what_to_do(server):
    def told(dsn, statement):
        command = [sys.executable, "-c", RUN, dsn, statement]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    assert told(server.dsn(), " ") == (1, "", 'no query was given: make sql Q="select ..."\n')
    as_reader = server.dsn() + "?options=-c%20role%3Dpg_read_all_stats"
    status, printed, said = told(as_reader, "select * from pg_authid")
    assert (status, printed) == (1, "")
    assert said.startswith("permission denied for table pg_authid")
    assert said.endswith("make sql ROLE=loader, or crw sql --role loader\n")
    assert "ROLE" not in told(as_reader, "select * from nothing_there")[2]


def test_a_spreadsheet_gets_no_formula(server):
    assert printed(server, FORMULAS, "--spreadsheet") == "a,'+b,c,d,e,f,g\n'=1+1,'@sum,-5,-0.5,'\t=1,['=x'],'-\n"
