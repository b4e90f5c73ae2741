// Control charts: a click near a point shows its pictures; causes, points set aside, stages and frozen limits are entered.
import { call, notice, onClick, onSubmit } from "/static/api.js";

const chart = document.querySelector("[data-chart]");
const ids = JSON.parse(document.querySelector("#ids")?.textContent ?? "[]");
const count = ids.length;
let shown = chart?.dataset.shown ? Number(chart.dataset.shown) : null;
let asked = 0;
let loading = Promise.resolve();

function addressOf(place) {
  const address = new URL(location.href);
  address.searchParams.set("point", ids[place]);
  address.hash = "";
  return address;
}

// The pictures of a point come as the page that its address gives, so that a link shows the same.
function show(place, { push = true } = {}) {
  // What is shown already stays, with what is being written there.
  if (!(place >= 0 && place < count) || place === shown) return;
  loading = load(place, push);
}

async function load(place, push) {
  const mine = (asked += 1);
  mark(place);
  const address = addressOf(place);
  if (push) history.pushState({ place }, "", address);
  const section = document.querySelector("#point");
  section.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return;
    const found = page.querySelector("#point");
    if (!found) throw new Error(page.querySelector("main")?.textContent.trim() || "the server gave no such point");
    section.replaceWith(document.adoptNode(found));
    wire(found);
    const { enhanceAll } = await import("/static/viewer.js");
    enhanceAll(found);
  } catch (error) {
    if (mine !== asked) return;
    shown = null;
    notice(error instanceof TypeError ? "the server cannot be reached — try again in a moment" : error.message);
  } finally {
    document.querySelector("#point").removeAttribute("aria-busy");
  }
}

function mark(place) {
  shown = place;
  chart.querySelectorAll(".mark.shown").forEach((one) => one.classList.remove("shown"));
  chart.querySelectorAll(`[data-point="${place}"] .mark`).forEach((one) => one.classList.add("shown"));
}

function wire(root) {
  const form = root.querySelector("[data-entry]");
  onSubmit(form, async (data, event) => {
    const kind = event.submitter?.value || "note";
    const body = { ...settings(), text: data.get("text"), inspection: Number(form.dataset.entry) };
    if (kind === "note") await call("POST", "/api/charts/notes", body);
    else await call("POST", "/api/charts/entries", { ...body, kind });
    reload();
  });
}

const settings = () => JSON.parse(document.querySelector("#point").dataset.form);

// What was entered may move every limit: the page is drawn anew, at the same place.
function reload() {
  sessionStorage.setItem("scroll", String(scrollY));
  if (shown !== null) history.replaceState({ place: shown }, "", addressOf(shown));
  location.reload();
}
if (sessionStorage.getItem("scroll") !== null) {
  scrollTo(0, Number(sessionStorage.getItem("scroll")));
  sessionStorage.removeItem("scroll");
}

if (chart) {
  // One stop for the tab key; arrows go on from there.
  chart.querySelectorAll("a[data-point]").forEach((one) => one.setAttribute("tabindex", "-1"));
  chart.addEventListener("click", (event) => {
    const area = event.target.closest(".plot:not(.times)")?.querySelector(".area");
    if (!area || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const link = event.target.closest("[data-point]");
    const box = area.getBoundingClientRect();
    const near = Math.floor(((event.clientX - box.left) / box.width) * count);
    show(link ? Number(link.dataset.point) : Math.min(Math.max(near, 0), count - 1));
  });
  chart.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const here = shown ?? count;
    const open = [...document.querySelectorAll(".signals [data-open]")].map((one) => Number(one.dataset.point)).sort((a, b) => a - b);
    const keys = {
      ArrowLeft: () => show(Math.max(here - 1, 0)), ArrowRight: () => show(Math.min(here + 1, count - 1)),
      Home: () => show(0), End: () => show(count - 1),
      n: () => open.length && show(open.find((one) => one > here) ?? open[0]),
      c: () => loading.then(() => document.querySelector("#point [name=text]")?.focus()),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  addEventListener("popstate", () => {
    const place = ids.indexOf(Number(new URL(location.href).searchParams.get("point")));
    if (place >= 0) show(place, { push: false });
  });
  wire(document);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest(".signals [data-point], .beside [data-point]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(Number(link.dataset.point));
  document.querySelector("#point").scrollIntoView({ block: "start" });
});

const freeze = document.querySelector("[data-freeze]");
onSubmit(freeze, async (data) => {
  await call("POST", "/api/charts/entries", { ...settings(), kind: "limits", text: data.get("text") });
  reload();
});

onClick("[data-undo]", async (button) => {
  await call("POST", `/api/charts/entries/${button.dataset.undo}/undo`);
  reload();
});

document.querySelectorAll("[data-acknowledge]").forEach((form) =>
  onSubmit(form, async (data) => {
    await call("POST", "/api/alerts/acknowledgements", { key: form.dataset.acknowledge, note: data.get("note") ?? "" });
    form.closest("li").remove();
  })
);
