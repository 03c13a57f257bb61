"""A comparison as HTML: a fragment for notebooks, and a page of its own that needs nothing beside it."""

from __future__ import annotations

import html as html_module
import json
import os
from collections.abc import Iterable, Sequence
from typing import Any

from mdfsql.verify.comparison import Comparison, Side, write_text
from mdfsql.verify.text import cut, headline
from mdfsql.verify.values import shown

__all__ = ["fragment", "page", "write"]

FRAGMENT_ROWS = 10

escape = html_module.escape


def write(found: Comparison, path: str | os.PathLike[str]) -> None:
    """Write the page; it appears when it is complete."""
    write_text(path, page(found))


def fragment(found: Comparison) -> str:
    """Return the verdict, and the first differences of each kind, for a notebook."""
    parts = [f"<div><p><b>{escape(headline(found))}</b></p>"]
    different = [column for column in found.columns if column.different]
    if found.schema_differences:
        parts.append(_schema(found))
    if different:
        rows = [(c.name, c.type, f"{c.match_rate:.2%}", ", ".join(c.kinds)) for c in different]
        parts.append(_table(("column", "type", "match", "differences"), rows))
    cells = [
        (_which(row.row, found.keys, {c.column for c in row.cells}), c.column, cut(c.left), cut(c.right), c.kind)
        for row in found.changed[:FRAGMENT_ROWS]
        for c in row.cells
    ]
    if cells:
        parts.append(_table(("row", "column", found.left.name, found.right.name, "difference"), cells))
    for side, rows_ in ((found.left, found.left_only), (found.right, found.right_only)):
        if rows_:
            names = list(rows_[0].row)
            values = [[cut(row.row[name]) for name in names] for row in rows_[:FRAGMENT_ROWS]]
            parts.append(f"<p>only in {escape(side.name)}</p>{_table(names, values)}")
    parts += [f"<p><small>{escape(note)}</small></p>" for note in found.notes]
    return "".join(parts) + "</div>"


def _which(row: Any, keys: Sequence[str], differing: set[str]) -> str:
    names = list(keys) or [name for name in row if name not in differing]
    return ", ".join(f"{name}={cut(row[name])}" for name in names[:6])


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(value)}</td>" for value in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _schema(found: Comparison) -> str:
    rows = [(one.column, one.kind, one.left, one.right) for one in found.schema_differences]
    return _table(("column", "difference", found.left.name, found.right.name), rows)


# ---- the page ----------------------------------------------------------------------------------------------------


def page(found: Comparison) -> str:
    """Return the whole page: the differences stand in it as data, and are shown a hundred at a time."""
    left, right = escape(found.left.name), escape(found.right.name)
    facts = [
        ("rows", *(f"{side.rows:,}" if side.rows is not None else "failed" for side in (found.left, found.right))),
        ("columns", *(f"{side.columns or 0:,}" for side in (found.left, found.right))),
        ("rows only here", f"{found.left_only_count:,}", f"{found.right_only_count:,}"),
    ]
    order = escape(found.order or "not compared")
    if found.misplaced:
        first = (found.first_misplaced or 0) + 1
        order += f", <b>{found.misplaced:,} places hold other keys</b>, the first is row {first:,}"
    parts = [
        f'<h1 class="{"same" if found.equal else "other"}">{escape(headline(found))}</h1>',
        _table(("", found.left.name, found.right.name), facts),
        f"<p>{found.matched:,} rows are the same, {found.changed_count:,} changed. Tolerance of floats: "
        f"{found.rtol:g} relative, {found.atol:g} absolute. Order: {order}.</p>",
    ]
    if found.sampled:
        parts.append(f"<p><b>Sampled:</b> {escape(found.sampled)}.</p>")
    for side in (found.left, found.right):
        if side.error:
            parts.append(f'<p class="other">{escape(side.name)} failed: {escape(side.error)}</p>')
    if found.notes:
        parts.append("<ul>" + "".join(f"<li>{escape(note)}</li>" for note in found.notes) + "</ul>")
    parts.append("<h2>Schema</h2>")
    parts.append(_schema(found) if found.schema_differences else "<p>Names, types and places are the same.</p>")
    columns = [
        (
            c.name,
            c.type,
            f"{c.match_rate:.4%}",
            f"{c.different:,}",
            "; ".join(f"{k} ({n:,})" for k, n in c.kinds.items()),
        )
        for c in sorted(found.columns, key=lambda c: -c.different)
        if c.different
    ]
    same = [(c.name, c.type) for c in found.columns if not c.different]
    parts.append("<h2>Columns</h2>")
    if columns:
        parts.append(_table(("column", "type", "match", "differ", "differences"), columns))
    paired = f"in all {found.matched + found.changed_count:,} rows that were paired"
    agree = f"{len(same):,} column{' agrees' if len(same) == 1 else 's agree'} {paired}"
    parts.append(f"<details><summary>{agree}</summary>{_table(('column', 'type'), same)}</details>")
    data = _data(found)
    for name, title in (("changed", "Changed rows"), ("left", f"Only in {left}"), ("right", f"Only in {right}")):
        rows = data[name]
        if not rows:
            continue
        count = {"changed": found.changed_count, "left": found.left_only_count, "right": found.right_only_count}[name]
        kept = f" (the first {len(rows):,} are here)" if count > len(rows) else ""
        parts.append(f'<section data-rows="{name}"><h2>{title}: {count:,}{kept}</h2></section>')
    for side in (found.left, found.right):
        parts.append(f"<h2>{escape(side.name)}</h2>{_sent(side)}")
    # No text of a value may end the element that holds it.
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return PAGE.format(
        title=escape(headline(found)),
        style=STYLE,
        body="\n".join(parts),
        data=text,
        script=SCRIPT,
    )


def _sent(side: Side) -> str:
    passes = "".join(f"<li><b>{escape(name)}</b>: {escape(why)}</li>" for name, why in side.passes)
    shown_ = f"<ul>{passes}</ul>" if passes else "<p>No pass changed anything.</p>"
    return (
        f"<details><summary>SQL</summary><pre>{escape(side.sql)}</pre></details>"
        f"<details><summary>Passes: {len(side.passes)}</summary>{shown_}</details>"
    )


def _data(found: Comparison) -> dict[str, Any]:
    """Return the rows as the page's script reads them: values as text, cells by the number of their column."""
    names = [column.name for column in found.columns]
    places = {name: place for place, name in enumerate(names)}
    return {
        "names": names,
        "keys": [places[name] for name in found.keys],
        "sides": [found.left.name, found.right.name],
        "changed": [
            [
                [shown(value) for value in row.row.values()],
                {places[cell.column]: [shown(cell.right), cell.kind] for cell in row.cells},
            ]
            for row in found.changed
        ],
        "left": [[[shown(value) for value in row.row.values()], row.copies] for row in found.left_only],
        "right": [[[shown(value) for value in row.row.values()], row.copies] for row in found.right_only],
    }


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
<noscript><p>The rows are shown by a script, which is turned off here.</p></noscript>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --gone: #c3341f; --new: #1a7f37; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem auto; padding: 0 1rem; max-width: 110rem; }
h1 { font-size: 1.35rem; overflow-wrap: anywhere; } h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
h1.same { color: var(--new); } .other { color: var(--gone); }
.wide { overflow: auto; max-height: 75vh; border: 1px solid var(--line); border-radius: 6px; width: fit-content;
  max-width: 100%; }
table { border-collapse: separate; border-spacing: 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; }
th { position: sticky; top: 0; background: Canvas; z-index: 1; white-space: nowrap; }
td { max-width: 28rem; overflow-wrap: anywhere; white-space: pre-wrap; }
td.cut { cursor: pointer; } td.cut::after { content: " … " attr(data-more) " more"; opacity: .6; font-size: .85em; }
td.gone { color: var(--gone); background: #c3341f14; } td.new { color: var(--new); background: #1a7f3714; }
td.kind { opacity: .75; }
tr.first td { border-top: 2px solid var(--line); }
pre { overflow: auto; max-height: 60vh; padding: .6rem; background: var(--soft); border-radius: 6px; }
.bar { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: .4rem 0; }
input[type=search] { min-width: 16rem; padding: .2rem .4rem; }
"""

# Rows are made as they are looked at: a page of 10,000 differences opens at once.
SCRIPT = """
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SIZE = 100, LONG = 200;
  const make = (tag, text, cls) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (cls) node.className = cls;
    return node;
  };
  const cell = (text, cls) => {
    const node = make("td", text, cls);
    if (text.length > LONG) {
      node.textContent = text.slice(0, LONG);
      node.dataset.more = text.length - LONG;
      node.classList.add("cut");
      node.title = "click for all of it";
      node.addEventListener("click", () => { node.textContent = text; node.classList.remove("cut"); });
    }
    return node;
  };
  for (const section of document.querySelectorAll("section[data-rows]")) {
    const which = section.dataset.rows, all = data[which];
    const changed = which === "changed";
    let rows = all, page = 0, wide = !changed;
    const differing = new Set();
    if (changed) for (const [, cells] of all) for (const place of Object.keys(cells)) differing.add(+place);
    const bar = section.appendChild(make("div", undefined, "bar"));
    const search = bar.appendChild(make("input"));
    search.type = "search"; search.placeholder = "rows that contain ...";
    const kinds = changed ? bar.appendChild(make("select")) : null;
    if (kinds) {
      kinds.append(new Option("all columns", ""));
      for (const place of [...differing].sort((a, b) => a - b)) kinds.append(new Option(data.names[place], place));
    }
    const toggle = changed ? bar.appendChild(make("label")) : null;
    if (toggle) {
      const box = toggle.appendChild(make("input"));
      box.type = "checkbox";
      toggle.append(" show columns that agree everywhere");
      box.addEventListener("change", () => { wide = box.checked; draw(); });
    }
    const back = bar.appendChild(make("button", "previous"));
    const where = bar.appendChild(make("span"));
    const on = bar.appendChild(make("button", "next"));
    const frame = section.appendChild(make("div", undefined, "wide"));
    const shownPlaces = () => {
      const every = data.names.map((_, place) => place);
      if (wide) return every;
      // The keys, or the first columns that agree, tell which row it is.
      const named = data.keys.length ? data.keys : every.filter(place => !differing.has(place)).slice(0, 4);
      return [...new Set([...named, ...[...differing].sort((a, b) => a - b)])];
    };
    const draw = () => {
      const places = shownPlaces();
      const table = make("table"), head = make("tr");
      if (changed) head.append(make("th", ""));
      for (const place of places) head.append(make("th", data.names[place]));
      if (!changed) head.append(make("th", "copies on both sides"));
      table.appendChild(make("thead")).append(head);
      const body = table.appendChild(make("tbody"));
      for (const [values, more] of rows.slice(page * SIZE, page * SIZE + SIZE)) {
        const row = body.appendChild(make("tr", undefined, "first"));
        if (!changed) {
          for (const place of places) row.append(cell(values[place]));
          row.append(make("td", more ? String(more) : ""));
          continue;
        }
        const other = body.appendChild(make("tr")), third = body.appendChild(make("tr"));
        row.append(make("td", data.sides[0], "kind"));
        other.append(make("td", data.sides[1], "kind"));
        third.append(make("td", "", "kind"));
        for (const place of places) {
          const found = more[place];
          row.append(cell(values[place], found ? "gone" : ""));
          other.append(found ? cell(found[0], "new") : make("td", ""));
          third.append(make("td", found ? found[1] : "", "kind"));
        }
      }
      frame.replaceChildren(table);
      frame.scrollTop = 0;
      const last = Math.max(Math.ceil(rows.length / SIZE) - 1, 0);
      where.textContent = rows.length
        ? `${page * SIZE + 1} to ${Math.min((page + 1) * SIZE, rows.length)} of ${rows.length}` : "none";
      back.disabled = page === 0; on.disabled = page >= last;
    };
    const filter = () => {
      const wanted = search.value.toLowerCase(), place = kinds ? kinds.value : "";
      rows = all.filter(([values, more]) =>
        (place === "" || place in more)
        && (!wanted || values.some(value => value.toLowerCase().includes(wanted))
          || (changed && Object.values(more).some(found => found.some(t => t.toLowerCase().includes(wanted))))));
      page = 0; draw();
    };
    search.addEventListener("input", filter);
    if (kinds) kinds.addEventListener("change", filter);
    back.addEventListener("click", () => { page -= 1; draw(); });
    on.addEventListener("click", () => { page += 1; draw(); });
    draw();
  }
})();
"""
