// A ranking: how many pictures are shown, and marks by click, key and range.
import { call, notice, onSubmit } from "/static/api.js";

const gallery = document.querySelector("[data-gallery]");
const cards = [...gallery.querySelectorAll(".card")];
const slider = document.querySelector("[data-first]");
slider.addEventListener("input", () => {
  document.querySelector("[data-shown]").textContent = slider.value;
  cards.forEach((card, number) => (card.hidden = number >= slider.valueAsNumber));
});

function count() {
  const place = document.querySelector("[data-good]");
  if (place) place.textContent = cards.filter((card) => card.dataset.mark === "good").length;
}
count();

let last = null;
async function mark(card, value, range = false) {
  const here = cards.indexOf(card);
  const from = range && last !== null ? Math.min(last, here) : here;
  const upto = range && last !== null ? Math.max(last, here) : here;
  const next = !range && card.dataset.mark === value ? "" : value;
  const chosen = cards.slice(from, upto + 1);
  const before = chosen.map((one) => one.dataset.mark);
  last = here;
  chosen.forEach((one) => (one.dataset.mark = next));
  count();
  const marks = Object.fromEntries(chosen.map((one) => [one.dataset.name, next]));
  try {
    await call("PUT", `/api/rank/${gallery.dataset.gallery}/marks`, { marks });
  } catch (error) {
    chosen.forEach((one, k) => (one.dataset.mark = before[k]));
    count();
    notice(error.message);
  }
}

gallery.addEventListener("click", (event) => {
  const button = event.target.closest("[data-set]");
  if (button) mark(button.closest(".card"), button.dataset.set, event.shiftKey);
});
let over = null;
gallery.addEventListener("pointerover", (event) => (over = event.target.closest(".card")));
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input,textarea,select") || event.ctrlKey || event.metaKey) return;
  const value = { g: "good", b: "bad" }[event.key.toLowerCase()];
  const card = document.activeElement.closest?.(".card") ?? over;
  if (value && card) mark(card, value, event.shiftKey);
});

const form = document.querySelector("[data-learn]");
onSubmit(form, async (data) => {
  const body = { part: data.get("part"), unmarked: data.has("unmarked") };
  const job = await call("POST", `/api/rank/${form.dataset.learn}/learn`, body);
  location.href = `/train/${job.id}`;
});
