"""What a person reads after grading: feedback pages, tables, and the list of what is left to mark.

Text that a learner wrote is data in all of them: escaped in HTML, never a formula in a table.
"""

import csv
import hashlib
import html
import io
import os
from pathlib import Path

FILLED = ("student", "exercise", "points", "mark", "comment", "version")  # read back
MARKING = (*FILLED[:-1], "why", "answer", "model", "version")


def write_whole(path, data):
    """Write a file so that a reader, or a kill, finds the old one or the new one."""
    data = data.encode() if isinstance(data, str) else data
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(data)
    partial.replace(path)


def harmless(value):
    """A cell that no spreadsheet takes for a formula."""
    if value is None or isinstance(value, (int, float)):
        return number(value)
    text = str(value)
    dangerous = text[:1] in ("\t", "\r", "\n") or text.lstrip()[:1] in tuple("=+-@|%")
    return f"'{text}" if dangerous else text


def write_table(path, header, rows):
    """Write a CSV that spreadsheets open with its accents right."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([harmless(value) for value in row] for row in rows)
    write_whole(path, "\ufeff" + file.getvalue())


def visible(text):
    """Text without the characters that steer a terminal."""
    return "".join(c if c.isprintable() else "�" for c in text)


def number(points):
    """3.0 as 3, and 2.25 as it is."""
    return "" if points is None else f"{round(points, 2):g}"


def total(result):
    """Points earned so far; None where nothing could be run."""
    if result["status"] == "could not run":
        return None
    return sum(row["earned"] or 0 for row in result["exercises"])


# --------------------------------------------------------------------- what a person has to mark


def version(result, row):
    """Names the answer that a mark is for: a mark does not outlive a new answer."""
    text = row.get("text") or "".join(
        cell["code"] for cell in result["cells"] if cell["name"] in ("", row["name"])
    )
    return hashlib.sha256(f"{row['status']}{text}".encode()).hexdigest()[:10]


def open_rows(result):
    """The exercises of a submission that wait for a person."""
    return [row for row in result["exercises"] if row["status"] in ("manual", "not judged")]


def read_marks(path):
    """Read a marking table that a person has filled in.

    Returns
    -------
    dict
        (student, exercise, version) -> row, for the rows with a mark or a comment.

    Raises
    ------
    ValueError
        Its columns are gone, or a mark is no number from 0 to the points.
    """
    if not path.exists():
        return {}
    data = path.read_bytes()
    code = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = data.decode(code, "replace")
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)  # a spreadsheet may write another one than it read
    reader = csv.DictReader(io.StringIO(text), delimiter=separator)
    if missing := set(FILLED) - set(reader.fieldnames or ()):
        raise ValueError(f"{path} lacks the columns {', '.join(sorted(missing))}")
    found = {}
    for row in reader:
        row = {name: (row[name] or "").strip().removeprefix("'") for name in FILLED}
        if not row["mark"] and not row["comment"]:
            continue
        if row["mark"]:
            try:
                mark = float(row["mark"].replace(",", "."))
                good = 0 <= mark <= float(row["points"].replace(",", "."))
            except ValueError:
                good = False
            if not good:
                raise ValueError(
                    f"{path}, line {reader.line_num}: the mark {row['mark']!r} of {row['student']} "
                    f"for {row['exercise']} is no number from 0 to {row['points']}"
                )
        found[row["student"], row["exercise"], row["version"]] = row
    return found


def settle(result, marks):
    """The result with a person's marks in it."""
    result = {**result, "exercises": [dict(row) for row in result["exercises"]]}
    for row in open_rows(result):
        row["version"] = version(result, row)
        marked = marks.get((result["student"], row["name"], row["version"]))
        if marked is None:
            continue
        row["comment"] = marked["comment"]
        if marked["mark"]:
            row["earned"] = float(marked["mark"].replace(",", "."))
            row["before"], row["status"] = row["status"], "marked"
            row["message"] = "Marked by a person."
    if not open_rows(result):
        return {**result, "status": "graded"}
    if result["status"] == "partial" and all(r["status"] == "manual" for r in open_rows(result)):
        return {**result, "status": "needs manual grading"}
    return result


def write_marking(path, results, marks):
    """Write the list of what a person has to mark; what is filled in stays."""
    rows = []
    for result in results:
        for row in result["exercises"]:
            if "version" not in row:
                continue
            marked = marks.get((result["student"], row["name"], row["version"]), {})
            manual = row.get("before", row["status"]) == "manual"
            why = "" if manual else result["why"] or row["message"]
            answer = row.get("text") or "\n".join(
                cell["code"] for cell in result["cells"] if cell["name"] == row["name"]
            )
            head = [result["student"], row["name"], row["points"]]
            filled = [marked.get("mark", ""), marked.get("comment", "")]
            model = row.get("model", "")
            rows.append([*head, *filled, why, answer, model, row["version"]])
    kept = {(r[0], r[1], r[-1]) for r in rows}
    if lost := [m for key, m in marks.items() if key not in kept and m["mark"]]:
        backup = path.with_suffix(".before.csv")
        backup.write_bytes(path.read_bytes())
        print(f"{len(lost)} marks were for answers that are no longer there; see {backup.name}")
    write_table(path, MARKING, rows)


# ------------------------------------------------------------------------------------- tables


def write_tables(folder, slug, chapter, results):
    """Write marks.csv, all there is to know, and lms.csv, what is final, for an import."""
    names = [exercise.name for exercise in chapter.exercises]
    rows = []
    for result in results:
        earned = total(result)
        each = [row["earned"] for row in result["exercises"]]
        percent = None if earned is None else round(100 * earned / chapter.points, 1)
        notes = "; ".join(result["notes"])
        head = [result["student"], result["status"], earned, chapter.points, percent]
        rows.append([*head, *each, result["why"], notes])
    header = ["student", "status", "points", "out_of", "percent", *names, "why", "repaired"]
    write_table(folder / f"{slug}.csv", header, rows)
    final = [row[:1] + row[2:5] for row in rows if row[1] == "graded"]
    write_table(folder / f"{slug}-lms.csv", ["student", "points", "out_of", "percent"], final)


# ----------------------------------------------------------------------------------- feedback

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .6rem;
  border-bottom: 1px solid #ddd; }}
td.points, th.points {{ text-align: right; white-space: nowrap; }}
pre {{ background: #f5f5f5; padding: .6rem; overflow-x: auto; white-space: pre-wrap;
  overflow-wrap: anywhere; font-size: .85rem; }}
pre.error {{ background: #fdecea; }}
.total {{ font-size: 1.25rem; }}
.notes {{ background: #fff7e0; padding: .5rem 1rem; }}
section {{ margin-top: 2rem; border-top: 2px solid #eee; }}
@media (prefers-color-scheme: dark) {{
  body {{ color: #ddd; background: #1a1a1a; }} th, td {{ border-color: #444; }}
  a {{ color: #8ab4f8; }}
  pre {{ background: #282828; }} pre.error {{ background: #4a2320; }}
  .notes {{ background: #3d3620; }}
  section {{ border-color: #333; }}
}}
</style>
</head>
<body>
<h1>{heading}</h1>
<p>{student}</p>
{summary}
{sections}
</body>
</html>
"""

SIGNS = {
    "right": "✓ right",
    "partial": "◐ partly right",
    "wrong": "✗ not right",
    "error": "✗ ended with an error",
    "not attempted": "– not attempted",
    "manual": "… a person will read it",
    "marked": "✎ read by a person",
    "not judged": "! could not be judged",
}
WORDS = {
    "graded": "Everything is graded.",
    "partial": "Some of it could not be judged; those marks are open.",
    "needs manual grading": "Answers in words wait for a person; those marks are open.",
    "could not run": "This submission could not be run. It has no marks yet; that is not a zero.",
}


def feedback(result, chapter):
    """One page of HTML for one student."""
    e = html.escape
    earned = total(result)
    so_far = "" if result["status"] == "graded" else " so far"
    summary = ""
    if earned is not None:
        points = f"{number(earned)} of {chapter.points} points"
        summary += f'<p class="total"><b>{points}</b>{so_far}</p>\n'
    summary += f"<p>{e(WORDS[result['status']])}</p>\n"
    said = [result["why"]] if result["why"] else []
    if said := said + result["notes"]:
        lines = "".join(f"<li>{e(text)}</li>" for text in said)
        summary += f'<div class="notes"><p>What was found on the way:</p><ul>{lines}</ul></div>\n'
    rows, sections = [], []
    for place, row in enumerate(result["exercises"], 1):
        points = f"{number(row['earned']) or '?'} of {row['points']}"
        sign = e(SIGNS.get(row["status"], row["status"]))
        link = f'<a href="#{e(row["name"])}">{place}. {e(row["title"])}</a>'
        rows.append(f'<tr><td>{link}</td><td>{sign}</td><td class="points">{points}</td></tr>')
        parts = [f'<section id="{e(row["name"])}"><h2>{place}. {e(row["title"])}</h2>']
        parts.append(f"<p><b>{points} points.</b> {e(row['message'])}</p>")
        if row.get("comment"):
            parts.append(f"<p>{e(row['comment'])}</p>")
        if row.get("text"):
            parts.append(f"<pre>{e(row['text'])}</pre>")
        parts += [show(cell) for cell in result["cells"] if cell["name"] == row["name"]]
        sections.append("\n".join([*parts, "</section>"]))
    if added := [show(cell) for cell in result["cells"] if not cell["name"]]:
        sections.append("\n".join(["<section><h2>Cells you added</h2>", *added, "</section>"]))
    head = '<tr><th>Exercise</th><th>Result</th><th class="points">Points</th></tr>'
    summary += f"<table>{head}{''.join(rows)}</table>"
    return PAGE.format(
        title=e(f"{chapter.title}: {result['student']}"),
        heading=e(chapter.title),
        student=e(result["student"]),
        summary=summary,
        sections="\n".join(sections),
    )


def show(cell):
    """A cell of the learner's, with what it printed and how it ended."""
    parts = [f"<pre><code>{html.escape(cell['code'])}</code></pre>"]
    if cell["text"].strip():
        parts.append(f"<p>It printed</p><pre>{html.escape(cell['text'])}</pre>")
    if cell["error"]:
        parts.append(f'<pre class="error">{html.escape(cell["error"])}</pre>')
    return "\n".join(parts)


def write_feedback(folder, slug, chapter, result):
    path = Path(folder) / result["student"] / slug / "exercises.html"
    write_whole(path, feedback(result, chapter))
