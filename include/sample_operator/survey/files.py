"""Writing a sample delivery in its wave's format: CSV in Big5-HKSCS or UTF-8, XLSX, or SPSS, with its code book."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path

import openpyxl
import pandas
import pyreadstat
import yaml

from crw.sources.code_book import SUFFIX
from sample_operator.survey.answers import COMPLETE
from sample_operator.survey.dirt import BAD_BYTES, Row
from sample_operator.survey.waves import DISTRICTS, LANGUAGES, SEGMENTS, TEXTS, Wave
from sample_operator.workbook import save

WRITTEN = datetime(2013, 3, 28, 15)
"""What the formats that hold their own time of writing say it was, so that the same rows give the same bytes."""

TEXT_COLUMNS = ("date", "comment")


def write(path: Path, wave: Wave, rows: list[Row]) -> None:
    """Write `rows` to `path` in the format of `wave`. The same rows give the same bytes."""
    {"csv": _write_csv, "xlsx": _write_xlsx, "sav": _write_sav}[wave.format](path, wave, rows)


def write_code_book(data_file: Path, wave: Wave) -> Path:
    """Write the code book of `wave` beside `data_file`, and return its path."""
    path = data_file.with_name(data_file.name + SUFFIX)
    book = yaml.safe_dump(_code_book(wave), sort_keys=False, allow_unicode=True, width=110)
    path.write_text(
        f"# {wave.contractor}: code book of the customer satisfaction survey {wave.code}\n{book}", encoding="utf-8"
    )
    return path


def _write_csv(path: Path, wave: Wave, rows: list[Row]) -> None:
    is_windows = wave.encoding == "utf-8"
    line_end = "\r\n" if is_windows else "\n"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(wave.columns.values())
    for number, row in enumerate(rows):
        cells = dict(row.cells)
        if is_windows and cells["comment"]:
            # What Big5 cannot hold: no-break space and emoji; and a line break inside quotes now and then.
            cells["comment"] += "\u00a0😀" + ("\n再見" if number % 5 == 0 else "")
        values = [cells[name] for name in wave.columns]
        if row.shape == "unclosed":
            values[list(wave.columns).index("comment")] = '"never closed'
            text.write(",".join(values) + line_end)
        else:
            writer.writerow({"short": values[:-2], "long": [*values, "", "extra"]}.get(row.shape, values))
    content = text.getvalue().encode(wave.encoding)
    # A character cut off in the middle, as a field cut to so many bytes leaves it.
    content = content.replace(BAD_BYTES.encode(), b"\xe5\x98" if is_windows else b"\xfe")
    path.write_bytes(b"\xef\xbb\xbf" + content + b"\r\n\r\n" if is_windows else content)


def _write_xlsx(path: Path, wave: Wave, rows: list[Row]) -> None:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet(wave.sheet)
    sheet.append(list(wave.columns.values()))
    for row in rows:
        sheet.append([_xlsx_value(wave, name, row.cells[name]) for name in wave.columns])
    save(workbook, path, WRITTEN)


def _xlsx_value(wave: Wave, name: str, value: str) -> object:
    if name == "date":
        try:
            return datetime.strptime(value, wave.date_format).date()
        except ValueError:
            return value
    # A code typed with a blank or in full width stays the text it was typed as.
    return int(value) if value.isascii() and value.isdigit() else value or None


def _write_sav(path: Path, wave: Wave, rows: list[Row]) -> None:
    frame = pandas.DataFrame(
        {
            wave.columns[name]: [row.cells[name] for row in rows]
            if name in TEXT_COLUMNS
            else pandas.to_numeric([row.cells[name] or None for row in rows])
            for name in wave.columns
        }
    )
    labels = {
        wave.columns[q]: {int(wave.not_applicable): "not applicable"}
        for q in wave.questions
        if wave.not_applicable_of(q)
    }
    pyreadstat.write_sav(frame, path, file_label=f"Customer satisfaction {wave.code}", variable_value_labels=labels)
    with path.open("r+b") as file:
        # The header holds the date and time of writing in bytes 92-108.
        file.seek(92)
        file.write(WRITTEN.strftime("%d %b %y%H:%M:%S").encode())


def _code_book(wave: Wave) -> dict:
    columns = wave.columns
    book = {
        "wave": wave.code,
        "format": wave.format,
        "encoding": wave.encoding,
        "sheet": wave.sheet,
        "contractor": wave.contractor,
        "period": {"basis": wave.period_basis, "start": wave.period[0], "end": wave.period[1]},
        "fieldwork": {"start": wave.fieldwork[0], "end": wave.fieldwork[1]},
        "eligible_sample": wave.eligible_sample,
        "respondent": {
            "id": columns["id"],
            "weight": columns.get("weight"),
            "interviewed_on": {"column": columns["date"], **_date_formats(wave)},
            "complete": {"column": columns["status"], "codes": [COMPLETE]},
            "segment": {"column": columns["segment"], "codes": SEGMENTS},
            "language": {"column": columns["language"], "codes": LANGUAGES},
            "district_code": {
                "column": columns["district"],
                "codes": {str(number): code for number, code in enumerate(DISTRICTS, 1)},
            },
        },
        "questions": [_question(wave, code) for code in wave.questions],
        "ignored": [columns["comment"]],
    }
    book["respondent"] = {key: value for key, value in book["respondent"].items() if value is not None}
    return {key: value for key, value in book.items() if value is not None}


def _date_formats(wave: Wave) -> dict:
    return {} if wave.format == "xlsx" else {"format": wave.date_format}


def _question(wave: Wave, code: str) -> dict:
    valid = wave.valid_codes(code)
    tops = {"rating": valid[-2:], "nps": ("9", "10"), "category": ()}[wave.scale_of(code)]
    not_applicable = wave.not_applicable_of(code)
    return {
        "code": code,
        "column": wave.columns[code],
        "text": TEXTS[code],
        "scale": wave.scale_of(code),
        "valid": list(valid),
        "top": list(tops),
        "not_applicable": [not_applicable] if not_applicable else [],
        "blank": list(wave.blanks_of(code)),
    }
