"""The tables of `docs/conformance.md`, between two comments. A new row replaces the old row of its server."""

SUBJECTS = [
    "endpoint", "framing", "chunks", "host", "target", "methods", "connection", "limits", "pipelining",
    "smuggling", "timing",
]
COUNTS = ["server", "version", "from", "passed", "hidden", "wrong", "strict"]


def share(found):
    """Passed cases of all cases sent, over the findings about some subjects; a range if cases are flaky."""
    found = [findings for findings in found if findings and findings["cases"]]
    if not found:
        return "–"
    passed, flaky, cases = (sum(findings[key] for findings in found) for key in ("passed", "flaky", "cases"))
    ended = ", ended" if any(findings["gone_at"] for findings in found) else ""
    return f"{passed}–{passed + flaky}/{cases}{ended}" if flaky else f"{passed}/{cases}{ended}"


def totals(found):
    """The cells about all subjects: passed cases of all cases sent, hidden, wrong, strict."""
    counts = (sum(findings[key] for findings in found.values()) for key in ("hidden", "wrong", "strict"))
    return [share(found.values()), *map(str, counts)]


def line(cells):
    return "| " + " | ".join(cell or "–" for cell in cells) + " |"


def rule(header):
    """The line below the header, which aligns columns of numbers to the right."""
    numbers = {"passed", "hidden", "wrong", "strict", *SUBJECTS}
    return line(["---:" if name in numbers else "---" for name in header])


def rows_of(text):
    """The tables in a text, each a list of rows of cells, without header and rule."""
    tables, previous = [], False
    for row in text.splitlines():
        is_row = row.startswith("|")
        if is_row and not previous:
            tables.append([])
        if is_row:
            tables[-1].append([cell.strip() for cell in row.strip("|").split(" | ")])
        previous = is_row
    return [table[2:] for table in tables]


def merge(old, new):
    """The old and the new rows, sorted by name. A new cell replaces the old one, unless it is `None`."""
    rows = {row[0]: row for row in old}
    for row in new:
        before = rows.get(row[0], [])
        before = before + ["–"] * (len(row) - len(before))
        rows[row[0]] = [was if cell is None else cell for was, cell in zip(before, row)]
    return [rows[name] for name in sorted(rows)]


def block(tables):
    """The text of tables, each a heading, a header and rows."""
    parts = []
    for heading, header, rows in tables:
        parts.append("\n".join([heading, "", line(header), rule(header), *map(line, rows)]))
    return "\n\n".join(parts)


def replace(page, name, tables, dated):
    """The page with these tables merged into the tables between its two comments."""
    start, end = f"<!-- reference: {name} -->", f"<!-- reference: end of {name} -->"
    before, found, rest = page.partition(start)
    old, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page lacks `{start}` or `{end}`")
    kept = rows_of(old) + [[]] * len(tables)
    merged = [(heading, header, merge(was, new)) for was, (heading, header, new) in zip(kept, tables)]
    return f"{before}{start}\n\n{dated}\n\n{block(merged)}\n\n{end}{after}"
