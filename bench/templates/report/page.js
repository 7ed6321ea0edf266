"use strict";

// Only what a page cannot do by itself: sorting its tables, and unfolding everything for the printer.

const [FIGURE, WORDS, ABSENT] = [0, 1, 2];

for (const table of document.querySelectorAll("table")) {
  if (table.tBodies[0].rows.length > 1) {
    makeSortable(table);
  }
}

/** Makes each head a button that sorts the rows. A head may span two cells, of which the first is sorted by. */
function makeSortable(table) {
  let place = 0;
  for (const head of table.tHead.rows[0].cells) {
    const column = place;
    place += head.colSpan;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head, column));
    head.append(button);
  }
}

/** Sorts by a column, upwards first and the other way the next time. */
function sort(table, head, column) {
  const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of table.tHead.rows[0].cells) {
    other.removeAttribute("aria-sort");
  }
  head.setAttribute("aria-sort", direction);
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows];
  rows.sort((one, other) => compare(one.cells[column], other.cells[column], sign));
  table.tBodies[0].append(...rows);
}

function compare(one, other, sign) {
  const apart = kind(one) - kind(other);
  if (apart !== 0) {
    return apart;
  }
  const difference = kind(one) === FIGURE
    ? one.dataset.value - other.dataset.value
    : one.textContent.localeCompare(other.textContent, "en", { numeric: true });
  return sign * difference;
}

/** Words stand below figures, and what is not known stands last, whichever way the rest is sorted. */
function kind(cell) {
  if (cell.classList.contains("absent")) {
    return ABSENT;
  }
  return "value" in cell.dataset ? FIGURE : WORDS;
}

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = true;
    addEventListener("afterprint", () => { details.open = false; }, { once: true });
  }
});
