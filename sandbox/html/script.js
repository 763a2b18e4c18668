// The page is complete without this script. It pages, sorts and filters long tables, switches the theme, and opens the
// folded section that a link points to. It inserts text only as text, never as markup.
"use strict";

const PER_PAGE = 50;

function made(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

// --- long tables -----------------------------------------------------------------------------------------------

function value(cell) {
  const text = cell.dataset.value ?? cell.textContent.trim();
  const number = Number(text.replaceAll(",", ""));
  return text !== "" && Number.isFinite(number) ? number : text.toLowerCase();
}

function compared(one, other) {
  if (typeof one === typeof other) return one < other ? -1 : one > other ? 1 : 0;
  return typeof one === "number" ? -1 : 1;
}

function paged(table) {
  const name = table.dataset.paged;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const names = heads.map((head) => head.textContent.trim());
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const wanted = new Map();
  let order = rows.map((_, place) => place);
  let found = order;
  let page = 0;

  const search = made("input", { type: "search", autocomplete: "off" });
  const told = made("span", { role: "status" });
  const before = made("button", { type: "button", textContent: "Previous" });
  const after = made("button", { type: "button", textContent: "Next" });
  before.setAttribute("aria-label", `Previous page of ${name}`);
  after.setAttribute("aria-label", `Next page of ${name}`);

  function show() {
    const pages = Math.max(1, Math.ceil(found.length / PER_PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const first = page * PER_PAGE;
    const last = Math.min(first + PER_PAGE, found.length);
    body.replaceChildren(...found.slice(first, last).map((place) => rows[place]));
    const all = found.length === rows.length ? "" : ` (of ${rows.length.toLocaleString("en")})`;
    told.textContent = found.length
      ? `${(first + 1).toLocaleString("en")}–${last.toLocaleString("en")} of ${found.length.toLocaleString("en")}${all}`
      : `none of ${rows.length.toLocaleString("en")}`;
    before.disabled = page === 0;
    after.disabled = page === pages - 1;
  }

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = order.filter(
      (place) =>
        words.every((word) => texts[place].includes(word)) &&
        [...wanted].every(([column, text]) => rows[place].cells[column].textContent.trim() === text),
    );
    page = 0;
    show();
  }

  function sort(column) {
    const head = heads[column];
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((one) => one.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const values = rows.map((row) => value(row.cells[column]));
    order.sort((one, other) => (down ? -1 : 1) * compared(values[one], values[other]) || one - other);
    filter();
  }

  function choice(column) {
    const values = [...new Set(rows.map((row) => row.cells[column].textContent.trim()))].sort();
    const select = made("select", {}, made("option", { value: "", textContent: "all" }));
    values.forEach((text) => select.append(made("option", { value: text, textContent: text })));
    select.addEventListener("change", () => {
      if (select.selectedIndex === 0) wanted.delete(column);
      else wanted.set(column, select.value);
      filter();
    });
    return made("label", {}, names[column], select);
  }

  heads.forEach((head, column) => {
    const button = made("button", { type: "button" }, ...head.childNodes);
    button.addEventListener("click", () => sort(column));
    head.replaceChildren(button);
    head.setAttribute("aria-sort", "none");
    if (rows.every((row) => typeof value(row.cells[column]) === "number")) {
      [head, ...rows.map((row) => row.cells[column])].forEach((cell) => (cell.dataset.number = ""));
    }
  });
  search.addEventListener("input", filter);
  before.addEventListener("click", () => (page--, show()));
  after.addEventListener("click", () => (page++, show()));

  const columns = (table.dataset.filters ?? "").split(",").map((one) => names.indexOf(one));
  const tools = made(
    "div",
    { className: "tools" },
    made("label", {}, `find in ${name}`, search),
    ...columns.filter((column) => column >= 0).map(choice),
    made("div", { className: "pages" }, before, told, after),
  );
  (table.closest(".wide") ?? table).before(tools);
  show();
}

// --- theme, links, print ---------------------------------------------------------------------------------------

function theme() {
  const button = made("button", { type: "button" });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const now = () => document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
  const other = () => (now() === "dark" ? "light" : "dark");
  const name = () => (button.textContent = `${other()} theme`);
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = other();
    name();
  });
  dark.addEventListener("change", name);
  name();
  document.querySelector("nav ul")?.append(made("li", { className: "theme" }, button));
}

function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
  target.scrollIntoView();
}

// A link to the current address fires no hashchange event.
function again(event) {
  const link = event.target.closest?.('a[href^="#"]');
  if (link && link.hash === location.hash) reveal();
}

function unfold() {
  const closed = [...document.querySelectorAll("details:not([open], .event .fold)")];
  closed.forEach((one) => (one.open = true));
  addEventListener("afterprint", () => closed.forEach((one) => (one.open = false)), { once: true });
}

document.querySelectorAll("table[data-paged]").forEach(paged);
theme();
addEventListener("hashchange", reveal);
addEventListener("click", again);
addEventListener("beforeprint", unfold);
reveal();
