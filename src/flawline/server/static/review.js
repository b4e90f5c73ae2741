// Settle doubtful parts by key: a accept, r reject, s skip, u undo, n note.
import { call, notice } from "/static/api.js";
import { enhanceAll } from "/static/viewer.js";

const root = document.querySelector("[data-review]");
const parts = root ? [...root.querySelectorAll("[data-part]")] : [];
const note = root?.querySelector("[data-note]");
const undoButton = root?.querySelector("[data-undo]");
let place = 0, last = null, sending = null;

function show() {
  parts.forEach((part, number) => (part.hidden = number !== place));
  // The next ones are loaded ahead, so that a key never waits for a picture.
  for (const part of parts.slice(place, place + 3)) {
    const template = part.querySelector("template");
    if (template) template.replaceWith(template.content);
  }
  enhanceAll(root);
  root.querySelector("[data-left]").textContent = parts.length - place;
  undoButton.disabled = !last;
  if (place >= parts.length) send().then(() => location.reload());
}

// A decision is sent when the next one is taken, so that undoing it leaves no trace.
async function send() {
  if (!last) return;
  const { id, verdict, why } = last;
  last = null;
  sending = call("POST", `/api/records/${id}/decisions`, { verdict, why });
  try {
    await sending;
  } catch (error) {
    notice(`the decision about ${id} was not taken: ${error.message}`);
  }
}

async function decide(verdict) {
  if (place >= parts.length) return;
  await send();
  last = { id: parts[place].dataset.part, verdict, why: note.value.trim() || "decided at the review" };
  note.value = "";
  place += 1;
  show();
}

function undo() {
  if (!last) return;
  last = null;
  place -= 1;
  show();
}

const skip = async () => {
  await send();
  place += 1;
  show();
};

if (root) {
  show();
  root.querySelectorAll("[data-decide]").forEach((button) => button.addEventListener("click", () => decide(button.dataset.decide)));
  root.querySelector("[data-skip]").addEventListener("click", skip);
  undoButton.addEventListener("click", undo);
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input,textarea")) {
      if (event.key === "Enter" || event.key === "Escape") event.target.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = { a: () => decide("accept"), r: () => decide("reject"), s: skip, u: undo, n: () => note.focus() };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
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
