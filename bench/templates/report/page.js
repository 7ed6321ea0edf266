"use strict";

// Gives the page its style, sorts the tables, and unfolds all details before the page is printed.

const [FIGURE, TEXT, ABSENT] = [0, 1, 2];

const style = new CSSStyleSheet();
style.replaceSync(document.getElementById("style").textContent);
document.adoptedStyleSheets = [style];

addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table")) {
    if (table.tBodies[0].rows.length > 1) {
      makeSortable(table);
    }
  }
});

/** Makes each header a button that sorts the rows. A header may span two cells: the first one has the sort key. */
function makeSortable(table) {
  let place = 0;
  for (const header of table.tHead.rows[0].cells) {
    const column = place;
    place += header.colSpan;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(table, header, column));
    header.append(button);
  }
}

/** Sorts by a column: ascending first, then in the opposite direction each time. */
function sort(table, header, column) {
  const direction = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of table.tHead.rows[0].cells) {
    other.removeAttribute("aria-sort");
  }
  header.setAttribute("aria-sort", direction);
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows];
  rows.sort((one, other) => compare(one.cells[column], other.cells[column], sign));
  table.tBodies[0].append(...rows);
}

function compare(one, other, sign) {
  const order = kind(one) - kind(other);
  if (order !== 0) {
    return order;
  }
  const difference = kind(one) === FIGURE
    ? one.dataset.value - other.dataset.value
    : one.textContent.localeCompare(other.textContent, "en", { numeric: true });
  return sign * difference;
}

/** Text sorts after figures, and unknown values last, in both directions. */
function kind(cell) {
  if (cell.classList.contains("absent")) {
    return ABSENT;
  }
  return "value" in cell.dataset ? FIGURE : TEXT;
}

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = true;
    addEventListener("afterprint", () => { details.open = false; }, { once: true });
  }
});
