// A ranking as a contact sheet or map: choose, compare, mark by key, click, range, likeness or lasso.
import { call, notice, onClick } from "/static/api.js";
import { element } from "/static/elements.js";
import { PictureMap } from "/static/rank_map.js";
import { Model } from "/static/rank_model.js";
import { Panel } from "/static/rank_panel.js";
import { drawTools, showState } from "/static/rank_tools.js";
import { VirtualGrid } from "/static/virtual_grid.js";

const root = document.querySelector("[data-ranking]");
const address = `/api/rank/${root.dataset.ranking}`;
const part = (name) => root.querySelector(`[data-${name}]`);
const selected = new Set(), undo = [];
let items = [], current = null, over = null, anchor = null, likeOf = null, likeCount = 0, likes = [];

const model = new Model(await call("GET", `${address}/sheet`));
model.read(location.search);
const grid = new VirtualGrid(part("sheet"), { make: makeCard, fill: fillCard, aspect: model.aspect() });
const panel = new Panel(part("panel"), address, model, { open });
let map = null;
drawTools(part("tools"), model, change);
part("first-cards").remove();
part("more")?.remove();
for (const name of ["sheet", "map"]) part(name).setAttribute("role", "group");
part("sheet").setAttribute("aria-label", "Contact sheet; arrows move, g marks good, b bad, space selects, l selects all like this, u undoes");
if (model.state.at) {
  current = model.pictures[Number(model.state.at) - 1] ?? null;
  if (current) panel.show(current);
}
refresh();
if (current) reveal();

function makeCard() {
  return element("figure", { class: "card rank-card", tabindex: "-1" }, [
    element("div", { class: "rank-picture" }, [element("img", { class: "plain-picture", alt: "", decoding: "async" }), element("img", { class: "heat", alt: "", hidden: "", decoding: "async" })]),
    element("figcaption", { class: "words" }, [
      element("strong"), " ", element("span", { class: "name" }),
      element("span", { class: "buttons" }, [element("button", { type: "button", "data-set": "good", tabindex: "-1" }, "good"), element("button", { type: "button", "data-set": "bad", tabindex: "-1" }, "bad")]),
    ]),
  ]);
}

function fillCard(node, picture, index) {
  const [shown, heat] = node.querySelectorAll("img");
  const source = `${address}/pictures/${picture.rank}`;
  if (node.picture !== picture) {
    node.picture = picture;
    shown.src = source;
    shown.alt = picture.image;
    heat.hidden = true;
    heat.removeAttribute("src");
    node.dataset.name = picture.image;
    node.querySelector("strong").textContent = picture.rank;
    node.querySelector(".name").textContent = picture.image.split("/").pop();
    node.title = picture.image;
  }
  node.dataset.index = index;
  node.dataset.mark = model.mark(picture);
  node.classList.toggle("selected", selected.has(picture));
  node.classList.toggle("current", picture === current);
  node.tabIndex = picture === current || (!current && index === 0) ? 0 : -1;
  showHeat(node, model.state.heat === "always");
}

function showHeat(node, wanted) {
  const heat = node.querySelector(".heat");
  if (!node.picture.place || model.state.heat === "off") wanted = false;
  if (wanted && !heat.getAttribute("src")) heat.src = `${address}/pictures/${node.picture.rank}/heat`;
  heat.hidden = !wanted;
}

function change(field, value) {
  model.state[field] = value;
  if (field === "sort" && value === "like") return sortByLikeness();
  refresh();
}

function refresh() {
  items = model.shown();
  const map_ = model.state.view === "map";
  part("sheet").hidden = map_ || !items.length;
  part("map").hidden = !map_ || !items.length;
  part("none").hidden = items.length > 0;
  if (map_) {
    map ??= new PictureMap(part("map"), address, model, { open, hover: (one) => (over = one), select: (some) => select(some), selected: (one) => selected.has(one), current: () => current });
    map.show(items);
  } else grid.show(items);
  redraw();
  history.replaceState(null, "", model.address());
}

// Shows marks and what is selected, with the same pictures in the same places.
function redraw() {
  grid.refill();
  map?.draw();
  panel.refresh();
  showState(part("tools"), model, items.length);
  const learn = part("learn"), good = model.count("good");
  if (learn) {
    learn.hidden = !good;
    part("good").textContent = good;
    part("first-marks").hidden = good > 0;
  }
  part("undo").disabled = !undo.length;
  const bar = part("selection");
  bar.hidden = !selected.size;
  if (selected.size)
    bar.replaceChildren(
      element("strong", {}, `${selected.size} selected`),
      element("button", { type: "button", class: "accept", "data-mark-all": "good" }, [element("kbd", {}, "g"), " Good"]),
      element("button", { type: "button", class: "reject", "data-mark-all": "bad" }, [element("kbd", {}, "b"), " Bad"]),
      element("button", { type: "button", "data-mark-all": "" }, "No mark"),
      ...(likeOf ? [element("button", { type: "button", "data-fewer": "" }, "Fewer"), element("button", { type: "button", "data-further": "" }, "More like it")] : []),
      element("button", { type: "button", "data-clear": "" }, "Clear"),
    );
}

function open(picture) {
  current = picture;
  model.state.at = String(picture.rank);
  panel.show(picture);
  history.replaceState(null, "", model.address());
  redraw();
  reveal();
}

function reveal() {
  const index = items.indexOf(current);
  if (index < 0 || model.state.view !== "sheet") return;
  grid.reveal(index);
  const node = grid.nodes.get(index);
  if (node && !part("panel").contains(document.activeElement)) node.focus({ preventScroll: true });
}

function select(some, { add = false } = {}) {
  if (!add) selected.clear();
  for (const one of some) selected.add(one);
  likeOf = null;
  redraw();
}

async function selectLike(picture, count = 12) {
  if (likeOf !== picture) {
    likes = (await call("GET", `${address}/pictures/${picture.rank}/like?count=20000`)).like;
  }
  const some = likes.slice(0, Math.max(1, Math.min(count, likes.length))).map(({ rank }) => model.pictures[rank - 1]);
  select([picture, ...some]);
  [likeOf, likeCount] = [picture, some.length];
  redraw();
}

async function sortByLikeness() {
  current ??= items[0];
  const { like } = await call("GET", `${address}/pictures/${current.rank}/like?count=20000`);
  model.near = new Map([[current.rank, -1], ...like.map(({ rank, distance }) => [rank, distance])]);
  model.state.sort = "like";
  refresh();
  scrollTo(0, 0);
}

async function mark(pictures, value) {
  if (!pictures.length) return;
  const before = model.set(pictures, value);
  undo.push(before);
  redraw();
  await store(before, () => undo.splice(undo.indexOf(before), 1));
}

async function store(before, failed) {
  try {
    const marks = Object.fromEntries(before.map(([image]) => [image, model.marks.get(image) ?? ""]));
    const names = Object.entries(marks);
    for (let first = 0; first < names.length; first += 10_000)
      await call("PUT", `${address}/marks`, { marks: Object.fromEntries(names.slice(first, first + 10_000)) });
  } catch (error) {
    model.restore(before);
    failed();
    redraw();
    notice(`not marked: ${error.message}`);
  }
}

function takeBack() {
  const before = undo.pop();
  if (!before) return;
  const again = before.map(([image]) => [image, model.marks.get(image) ?? ""]);
  model.restore(before);
  redraw();
  store(again, () => undo.push(before)).then(() => redraw());
}

// What g and b are about: those selected, else the one pointed at or chosen.
function meant() {
  if (selected.size) return [...selected];
  const focused = document.activeElement.closest?.(".rank-card")?.picture;
  const one = over ?? focused ?? current;
  return one ? [one] : [];
}

function markMeant(value) {
  const some = meant();
  const same = some.length === 1 && model.mark(some[0]) === value;
  mark(some, same ? "" : value);
}

const sheet = part("sheet");
sheet.addEventListener("click", (event) => {
  const card = event.target.closest(".rank-card");
  if (!card) return;
  const picture = card.picture, value = event.target.closest("[data-set]")?.dataset.set;
  const range = event.shiftKey && anchor ? between(anchor, picture) : null;
  anchor = picture;
  if (value) return mark(range ?? [picture], !range && model.mark(picture) === value ? "" : value);
  if (range) return select(range, { add: true });
  if (event.ctrlKey || event.metaKey) {
    selected.has(picture) ? selected.delete(picture) : selected.add(picture);
    return redraw();
  }
  open(picture);
});
sheet.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault());
sheet.addEventListener("pointerover", (event) => {
  const card = event.target.closest(".rank-card");
  if (card?.picture === over) return;
  over = card?.picture ?? null;
  if (model.state.heat === "hover") for (const node of grid.nodes.values()) showHeat(node, node === card);
});
sheet.addEventListener("pointerleave", () => {
  over = null;
  if (model.state.heat === "hover") for (const node of grid.nodes.values()) showHeat(node, false);
});

function between(one, other) {
  const [from, upto] = [items.indexOf(one), items.indexOf(other)].sort((a, b) => a - b);
  return items.slice(Math.max(0, from), upto + 1);
}

function step(by, extend) {
  const at = items.indexOf(current);
  const next = items[Math.max(0, Math.min(items.length - 1, at < 0 ? 0 : at + by))];
  if (!next) return;
  if (extend) {
    anchor ??= current ?? next;
    select(between(anchor, next));
  } else anchor = next;
  over = null;
  open(next);
}

document.addEventListener("keydown", (event) => {
  if (event.target.matches("input:not([type=range]),textarea,select") || event.altKey) return;
  const control = event.ctrlKey || event.metaKey;
  if (control && event.key === "a") {
    event.preventDefault();
    return select(items);
  }
  if (control) return;
  const inside = event.target.closest(".viewer") || event.target.matches("input[type=range]");
  const wide = model.state.view === "sheet" ? grid.columns : 10;
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -wide, ArrowDown: wide };
  if (moves[event.key] && !inside) {
    event.preventDefault();
    return step(moves[event.key], event.shiftKey);
  }
  if (inside && event.key === "h") return;
  const keys = {
    g: () => markMeant("good"), b: () => markMeant("bad"), u: takeBack,
    l: () => (current ?? over) && selectLike(current ?? over),
    m: () => change("view", model.state.view === "map" ? "sheet" : "map"),
    h: () => change("heat", { hover: "always", always: "off", off: "hover" }[model.state.heat]),
    Escape: () => (selected.size ? select([]) : closePanel()),
    " ": () => {
      const one = document.activeElement.closest?.(".rank-card")?.picture;
      if (!one) return false;
      selected.has(one) ? selected.delete(one) : selected.add(one);
      redraw();
    },
  };
  const work = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (work && work() !== false) event.preventDefault();
});

function closePanel() {
  current = null;
  model.state.at = "";
  panel.close();
  history.replaceState(null, "", model.address());
  redraw();
}

onClick("[data-view]", (button) => change("view", button.dataset.view));
onClick("[data-close]", closePanel);
onClick("[data-mark-one]", (button) => mark([current], model.mark(current) === button.dataset.markOne ? "" : button.dataset.markOne));
onClick("[data-mark-all]", (button) => mark([...selected], button.dataset.markAll).then(() => select([])));
onClick("[data-clear]", () => select([]));
onClick("[data-select-like]", () => selectLike(current));
onClick("[data-further]", () => selectLike(likeOf, likeCount * 2));
onClick("[data-fewer]", () => selectLike(likeOf, Math.ceil(likeCount / 2)));
onClick("[data-sort-like]", sortByLikeness);
onClick("[data-undo]", takeBack);
onClick("[data-others]", () => mark(model.pictures.filter((one) => !model.mark(one)), "good"));
onClick("[data-reset]", () => { model.reset(); refresh(); });
root.dataset.ready = "yes";
