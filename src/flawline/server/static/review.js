// Settle parts by key: a accept, r reject, s skip, u undo, n note, 1-9 class of defect, b blind; the nearest good part is beside it.
import { call, notice } from "/static/api.js";
import { enhanceAll, link, viewerOf } from "/static/viewer.js";

const END_SECONDS = 4;
const root = document.querySelector("[data-review]");
const parts = root ? [...root.querySelectorAll("[data-part]")] : [];
const note = root?.querySelector("[data-note]");
const undoButton = root?.querySelector("[data-undo]");
const end = root?.querySelector("[data-end]");
const classes = root ? [...root.querySelectorAll("[data-class]")] : [];
const second = root?.dataset.second === "1";
let place = 0, last = null, ending = null;

async function besides(part) {
  if (part.dataset.beside) return;
  part.dataset.beside = "yes";
  const side = part.querySelector("[data-beside]");
  const own = part.querySelector("[data-viewer]");
  const { record } = await call("GET", part.dataset.nearest).catch(() => ({ record: null }));
  if (!record || !own) {
    side.querySelector(".beside-none").hidden = false;
    return;
  }
  const figure = viewerOf(record, `the nearest accepted part: ${record.part ?? record.image}`);
  side.append(figure);
  enhanceAll(side);
  link(own, figure);
}

function show() {
  clearTimeout(ending);
  parts.forEach((part, number) => (part.hidden = number !== place));
  // The next ones are loaded ahead, so that a key never waits for a picture.
  for (const part of parts.slice(place, place + 2)) {
    const template = part.querySelector("template");
    if (template) template.replaceWith(template.content);
  }
  enhanceAll(root);
  const done = place >= parts.length;
  end.hidden = !done;
  root.querySelector("[data-place]").textContent = Math.min(place + 1, parts.length);
  undoButton.disabled = !last;
  root.querySelectorAll("[data-decide], [data-skip]").forEach((button) => (button.disabled = done));
  if (done) ending = setTimeout(() => send().then(() => location.reload()), 1000 * END_SECONDS);
  else besides(parts[place]);
}

// A decision is sent when the next one is taken, so that undoing it leaves no trace.
async function send() {
  if (!last) return;
  const { id, verdict, why } = last;
  last = null;
  try {
    await call("POST", `/api/records/${id}/decisions`, { verdict, why });
  } catch (error) {
    notice(`the decision about ${id} was not taken: ${error.message}`);
  }
}

function reason() {
  const name = classes.find((button) => button.getAttribute("aria-pressed") === "true")?.dataset.class;
  const text = note.value.trim() || (second ? "second look, blind" : "decided at the review");
  return name ? `${name}: ${text}` : text;
}

async function decide(verdict) {
  if (place >= parts.length) return;
  const next = { id: parts[place].dataset.part, verdict, why: reason() };
  note.value = "";
  classes.forEach((button) => button.setAttribute("aria-pressed", "false"));
  const sent = send();
  last = next;
  place += 1;
  show();
  await sent;
}

function undo() {
  if (!last) return;
  last = null;
  place -= 1;
  show();
}

function skip() {
  if (place >= parts.length) return;
  send();
  place += 1;
  show();
}

function choose(button) {
  const on = button.getAttribute("aria-pressed") !== "true";
  classes.forEach((one) => one.setAttribute("aria-pressed", String(on && one === button)));
}

const blind = () => document.querySelector("[data-blind]")?.click();

if (root) {
  show();
  root.querySelectorAll("[data-decide]").forEach((button) => button.addEventListener("click", () => decide(button.dataset.decide)));
  root.querySelector("[data-skip]").addEventListener("click", skip);
  undoButton.addEventListener("click", undo);
  classes.forEach((button) => button.addEventListener("click", () => choose(button)));
  addEventListener("pagehide", () => {
    if (!last) return;
    const { id, verdict, why } = last;
    const csrf = document.querySelector("meta[name=csrf]").content;
    fetch(`/api/records/${id}/decisions`, {
      method: "POST", keepalive: true, headers: { "X-CSRF-Token": csrf, "Content-Type": "application/json" }, body: JSON.stringify({ verdict, why }),
    });
    last = null;
  });
}
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input,textarea")) {
    if (event.key === "Enter" || event.key === "Escape") event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const keys = root ? { a: () => decide("accept"), r: () => decide("reject"), s: skip, u: undo, n: () => note.focus() } : {};
  const named = /^[1-9]$/.test(event.key) ? classes[Number(event.key) - 1] : null;
  const action = named ? () => choose(named) : { ...keys, b: blind }[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
