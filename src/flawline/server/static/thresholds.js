// Two thresholds on the histogram of scores: drag them or use the arrows; escapes and overkill move with them.
import { call } from "/static/api.js";
import { element } from "/static/elements.js";
import { WhatIf } from "/static/what_if.js";

const root = document.querySelector("[data-thresholds]");
const product = root.dataset.thresholds, recipe = root.dataset.recipe, may = root.dataset.may === "yes";
const low = Number(root.dataset.low), high = Number(root.dataset.high), log = root.dataset.log === "yes";
const drawing = root.querySelector(".histogram");
const [LEFT, RIGHT] = [drawing.dataset.left, drawing.dataset.right].map(Number);
const fields = { review: root.querySelector("[data-field=review]"), reject: root.querySelector("[data-field=reject]") };
const limits = Object.fromEntries([...root.querySelectorAll("[data-limit]")].map((group) => [group.dataset.limit, group]));
const part = (name) => root.querySelector(`[data-${name}]`);
const scores = await call("GET", `/api/recipes/${encodeURIComponent(product)}/scores?recipe=${recipe}`);
const saved = { review: scores.review, reject: scores.reject }, now = { ...saved };
const whatIf = new WhatIf(part("what-if"), product, recipe);
const all = [...scores.good, ...scores.bad].map((row) => row.score).sort((a, b) => a - b);

const share = (value) => (log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low));
const x = (value) => LEFT + Math.min(1, Math.max(0, share(value))) * (RIGHT - LEFT);
function value(at) {
  const part = Math.min(1, Math.max(0, (at - LEFT) / (RIGHT - LEFT)));
  return log ? low * (high / low) ** part : low + part * (high - low);
}
const words = (number) => (number === null ? "none" : String(Number(number.toPrecision(5))));
const changed = () => now.review !== saved.review || now.reject !== saved.reject;
const above = (rows, limit) => rows.filter((row) => limit !== null && row.score > limit).length;

function counts({ review, reject }) {
  const accepted = review === null ? 0 : scores.bad.length - above(scores.bad, review);
  const rejected = above(scores.good, reject);
  return { escapes: accepted, overkill: rejected, held: (review === null ? scores.good.length : above(scores.good, review)) - rejected };
}

function set(name, number) {
  if (!Number.isFinite(number)) return;
  now[name] = number;
  // One pushes the other: review never lies above reject.
  if (name === "review" && now.reject !== null && now.reject < number) now.reject = number;
  if (name === "reject" && now.review !== null && now.review > number) now.review = number;
  show();
}

function show() {
  for (const [name, group] of Object.entries(limits)) {
    group.setAttribute("transform", `translate(${x(now[name])} 0)`);
    group.setAttribute("aria-valuenow", words(now[name]));
    group.setAttribute("aria-valuetext", `${name} above ${words(now[name])}`);
  }
  const edges = [LEFT, now.review === null ? LEFT : x(now.review), now.reject === null ? RIGHT : x(now.reject), RIGHT];
  ["accept", "review", "reject"].forEach((zone, k) => {
    const drawn = drawing.querySelector(`[data-zone=${zone}]`);
    drawn.setAttribute("x", edges[k]);
    drawn.setAttribute("width", Math.max(0, edges[k + 1] - edges[k]));
  });
  for (const name of ["review", "reject"]) if (document.activeElement !== fields[name]) fields[name].value = words(now[name]);
  const was = counts(saved), is = counts(now), moved = changed();
  const from = (name) => (moved && was[name] !== is[name] ? [element("span", { class: "soft" }, ` (was ${was[name]})`)] : []);
  const known = scores.bad.length
    ? [element("strong", { "data-escapes": "" }, `${is.escapes} of ${scores.bad.length}`), " known bad accepted", ...from("escapes"), "; "]
    : ["The scores of bad parts are not in this recipe; "];
  part("counts").replaceChildren(...known, element("strong", { "data-overkill": "" }, `${is.overkill} of ${scores.good.length}`), " good rejected", ...from("overkill"), ", ", element("strong", {}, String(is.held)), " to review", ...from("held"), scores.golden ? ". The golden sample, which rejects more, is not counted." : ".");
  showMissed();
  part("change").hidden = !moved || !may;
  part("problem").hidden = true;
  whatIf.ask(moved ? now : null);
}

function showMissed() {
  const section = document.querySelector("[data-missed]");
  const missed = scores.bad.filter((row) => now.review !== null && row.score <= now.review);
  const title = document.querySelector("[data-missed-words]");
  if (scores.bad.length) title.textContent = `${missed.length} known bad ${missed.length === 1 ? "part is" : "parts are"} accepted`;
  if (!section) return;
  const key = missed.map((row) => row.picture).join();
  if (section.dataset.key === key) return;
  section.dataset.key = key;
  const shown = missed.filter((row) => row.picture !== null).slice(-60).map((row) => {
    const address = `/api/evidence/${recipe}/pictures/${row.picture}`;
    return element("a", { class: "card", href: address }, [
      element("span", { class: "layers" }, [
        element("img", { src: address, alt: row.name, loading: "lazy", width: "320", height: "240" }),
        element("img", { class: "heat", src: `${address}/heat`, alt: "", loading: "lazy" }),
      ]),
      element("span", { class: "words" }, [words(row.score), element("span", { class: "name" }, ` ${row.name}`)]),
    ]);
  });
  section.replaceChildren(...(shown.length ? shown : [element("p", { class: "soft" }, scores.bad.length ? "None of those that are known." : "No bad part was known at the training.")]));
}

// The next score in a direction, just past it, so that each step of the arrows changes one part.
function next(from, direction) {
  const gap = (high - low) * 1e-6;
  const found = direction > 0 ? all.find((score) => score > from + gap) : all.findLast((score) => score < from - gap);
  return found ?? (direction > 0 ? high : low);
}

for (const [name, group] of Object.entries(limits)) {
  group.setAttribute("role", "slider");
  group.setAttribute("tabindex", "0");
  group.setAttribute("aria-label", `${name} above`);
  group.setAttribute("aria-valuemin", words(low));
  group.setAttribute("aria-valuemax", words(high));
  const at = (event) => {
    const box = drawing.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * drawing.viewBox.baseVal.width;
  };
  group.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    group.focus();
    group.setPointerCapture(event.pointerId);
  });
  group.addEventListener("pointermove", (event) => group.hasPointerCapture(event.pointerId) && set(name, value(at(event))));
  group.addEventListener("keydown", (event) => {
    const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    set(name, event.shiftKey ? value(x(now[name]) + direction * ((RIGHT - LEFT) / 50)) : next(now[name], direction));
  });
}
for (const [name, field] of Object.entries(fields))
  field.addEventListener("change", () => {
    const number = Number(field.value.replace(",", "."));
    if (field.value.trim() && Number.isFinite(number)) set(name, number);
    else problem(`expected a number for ${name}, got ${field.value.slice(0, 40)}`);
  });

function problem(text) {
  part("problem").textContent = text;
  part("problem").hidden = false;
}

part("back").addEventListener("click", () => {
  Object.assign(now, saved);
  for (const name of ["review", "reject"]) fields[name].value = words(now[name]);
  show();
});
part("save").addEventListener("click", async (event) => {
  event.target.disabled = true;
  try {
    const made = await call("POST", `/api/recipes/${encodeURIComponent(product)}/versions`, { recipe, ...now });
    location.href = `/recipes/${encodeURIComponent(product)}?undo=${made.before}`;
  } catch (error) {
    problem(error.message);
    event.target.disabled = false;
  }
});
show();
root.dataset.ready = "yes";
