
"use strict";
// Heads of sortable tables become buttons; without this script the tables stay as they are.
const order = new Intl.Collator(undefined, { numeric: true });

function key(row, column) {
  const cell = row.cells[column];
  return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent;
}

function compare(a, b) {
  const numbers = typeof a === "number" && typeof b === "number";
  return numbers ? a - b : order.compare(String(a), String(b));
}

function sort(table, head) {
  const column = head.cellIndex;
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const empty = (row) => row.cells[column].textContent === "";
  const rows = [...table.tBodies[0].rows].sort((a, b) => {
    if (empty(a) || empty(b)) return empty(a) - empty(b);  // empty cells stay at the end
    const found = compare(key(a, column), key(b, column));
    return down ? -found : found;
  });
  table.tBodies[0].append(...rows);
  document.getElementById("sorted").textContent =
    "Sorted by " + head.textContent + (down ? ", descending" : ", ascending");
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head));
    head.append(button);
  }
}
