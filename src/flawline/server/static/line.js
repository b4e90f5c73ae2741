// The line: new parts appear by themselves; p holds the one that is shown, o overrules, w shows the wall.
import { call, notice, onClick, onSubmit } from "/static/api.js";
import { enhanceAll } from "/static/viewer.js";

const place = () => document.querySelector("[data-line]");
const station = place()?.dataset.station ?? "";
let latest = place()?.dataset.latest ?? "";
let held = false, missed = 0;

const events = new EventSource(`/api/line/events?station=${encodeURIComponent(station)}`);
events.onmessage = (event) => {
  const now = JSON.parse(event.data);
  const first = now.records[0];
  if (!first || String(first.id) === latest) return;
  latest = String(first.id);
  if (held) {
    missed += 1;
    document.querySelector("[data-sentence]").textContent = `Held; the line has gone on. ${now.sentence}`;
  } else refresh();
};
events.onerror = () => document.documentElement.classList.add("offline");
events.onopen = () => document.documentElement.classList.remove("offline");

async function refresh() {
  const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.querySelector("main").replaceWith(page.querySelector("main"));
  document.querySelector(".bar nav").replaceWith(page.querySelector(".bar nav"));
  enhanceAll();
}

function hold() {
  held = !held;
  const button = document.querySelector("[data-hold]");
  button?.setAttribute("aria-pressed", String(held));
  button?.lastChild && (button.lastChild.textContent = held ? " Go on" : " Hold");
  if (!held && missed) {
    missed = 0;
    refresh();
  }
}

function overrule() {
  const dialog = document.querySelector("[data-overruling]");
  if (!dialog) return;
  if (!held) hold();
  dialog.showModal();
}

function wall() {
  const on = document.documentElement.classList.toggle("wall");
  const address = new URL(location.href);
  on ? address.searchParams.set("wall", "1") : address.searchParams.delete("wall");
  history.replaceState(null, "", address);
}

document.addEventListener("keydown", (event) => {
  if (event.target.matches("input,textarea,select") || document.querySelector("dialog[open]")) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const keys = { w: wall, p: hold, o: overrule };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

onClick("[data-hold]", hold);
onClick("[data-overrule]", overrule);
onClick("[data-close]", (button) => button.closest("dialog").close());
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-decision]");
  if (!form) return;
  event.preventDefault();
  const verdict = event.submitter?.value || "accept";
  try {
    await call("POST", `/api/records/${form.dataset.decision}/decisions`, { verdict, why: new FormData(form).get("why") });
    form.closest("dialog").close();
    held = false;
    await refresh();
    notice(`${verdict} is noted in your name`);
  } catch (error) {
    const problem = form.querySelector(".problem");
    problem.textContent = error.message;
    problem.hidden = false;
  }
});

onClick("[data-acknowledge]", async (button) => {
  const entry = button.closest("li");
  await call("POST", "/api/alerts/acknowledgements", { key: button.dataset.acknowledge, note: entry.querySelector("input").value });
  entry.remove();
  await refresh();
});

onSubmit(document.querySelector("[data-judge]"), async (data) => {
  if (!data.get("lot")) data.delete("lot");
  await call("POST", "/api/inspect/many", data);
  notice("they are being judged");
});
