// Records without end: further ones come as the page is scrolled, and only those in view are drawn.
import { call } from "/static/api.js";

const root = document.querySelector("[data-records]");
const COUNT = 120, MOST = 20000, AHEAD = 6;

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

const last = (record) => (record.decisions.length ? record.decisions.at(-1).verdict : record.verdict);
const verdict = (name) => element("span", `verdict ${name ?? "unjudged"}`, name ?? "not judged");
const called = (record) => record.part ?? record.image;

function link(record) {
  const made = element("a", "");
  made.href = `/records/${record.id}`;
  return made;
}

function card(record) {
  const made = link(record);
  made.className = "card";
  let picture;
  if (record.has_picture) {
    picture = element("img");
    Object.assign(picture, { src: `/api/records/${record.id}/picture?side=320`, alt: "", width: 320, height: 240, decoding: "async", loading: "lazy", fetchPriority: "low" });
  } else picture = element("span", "none", "no picture kept");
  made.append(picture, element("span", "words", verdict(last(record)), " ", element("span", "name", called(record))));
  return made;
}

function row(record) {
  const score = record.score === null ? "" : String(Number(record.score.toPrecision(4)));
  const name = link(record);
  name.textContent = called(record);
  const cells = [verdict(last(record)), score, name, record.lot ?? "", (record.captured ?? record.judged).slice(0, 19).replace("T", " "), String(record.defects.length), record.reasons[0] ?? ""];
  return element("tr", "", ...cells.map((cell, place) => element("td", [1, 5].includes(place) ? "number" : "", cell)));
}

if (root) {
  const list = root.querySelector("[data-list]");
  const [before, behind, told] = ["[data-before]", "[data-behind]", "[data-state]"].map((one) => root.querySelector(one));
  const make = root.dataset.records === "table" ? row : card;
  // What the server drew stays; of the others the record is kept, and drawn when it comes into view.
  const items = [...list.children].map((node) => ({ node }));
  let next = root.dataset.next, loading = false, range = "", height = 0, columns = 1;
  document.querySelector("[data-older]")?.parentElement.remove();

  function measure() {
    const first = list.firstElementChild;
    if (!first) return;
    const style = getComputedStyle(list);
    columns = style.display === "grid" ? style.gridTemplateColumns.split(" ").length : 1;
    height = first.getBoundingClientRect().height + (style.display === "grid" ? parseFloat(style.rowGap) : 0);
    range = "";
  }

  function draw() {
    if (!height) measure();
    const top = before.getBoundingClientRect().top;
    const rows = Math.ceil(items.length / columns);
    const from = Math.min(Math.max(Math.floor(-top / height) - AHEAD, 0), Math.max(rows - 1, 0));
    const upto = Math.min(Math.ceil((innerHeight - top) / height) + AHEAD, rows);
    if (`${from}-${upto}` !== range) {
      range = `${from}-${upto}`;
      const shown = items.slice(from * columns, Math.max(upto, from + 1) * columns);
      list.replaceChildren(...shown.map((item) => (item.node ??= make(item.record))));
      before.style.height = `${from * height}px`;
      behind.style.height = `${Math.max(rows - Math.max(upto, from + 1), 0) * height}px`;
    }
    if (next && !loading && upto >= rows - 2 * AHEAD) more();
  }

  async function more() {
    if (items.length >= MOST) {
      told.textContent = `The first ${items.length} are shown; search for fewer.`;
      next = "";
      return;
    }
    loading = true;
    told.textContent = `${items.length} shown, loading more`;
    try {
      const asked = new URLSearchParams({ q: root.dataset.q, count: COUNT, after: next });
      const page = await call("GET", `/api/records?${asked}`);
      items.push(...page.records.map((record) => ({ record })));
      next = page.next ?? "";
      told.textContent = next ? `${items.length} shown` : `All ${items.length} are shown.`;
      loading = false;
      range = "";
      draw();
    } catch (error) {
      told.textContent = `${error.message} `;
      const again = element("button", "", "Try again");
      again.addEventListener("click", () => ((loading = false), more()));
      told.append(again);
    }
  }

  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  new ResizeObserver(() => {
    measure();
    soon();
  }).observe(root);
  draw();
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.matches("input,textarea,select")) return;
  event.preventDefault();
  document.querySelector("[data-search]")?.focus();
});
