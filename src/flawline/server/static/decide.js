// A decision on the page of one part; c puts the nearest good part beside it.
import { call, notice, onClick, onSubmit } from "/static/api.js";
import { enhanceAll, link, viewerOf } from "/static/viewer.js";

const form = document.querySelector("[data-decision]");
onSubmit(form, async (data, event) => {
  const verdict = event.submitter?.value || "accept";
  await call("POST", `/api/records/${form.dataset.decision}/decisions`, { verdict, why: data.get("why") });
  location.reload();
});

async function beside() {
  const pair = document.querySelector("[data-pair]");
  const own = pair?.querySelector("[data-viewer]");
  if (!own) return;
  if (pair.children.length > 1) {
    own.viewer.linked = null;
    pair.lastElementChild.remove();
    pair.classList.remove("two");
    return;
  }
  const { record } = await call("GET", pair.dataset.pair);
  if (!record) return notice("no accepted part of this recipe was kept to compare it with");
  const side = document.createElement("div");
  side.append(viewerOf(record, `the nearest accepted part: ${record.part ?? record.image}`));
  pair.classList.add("two");
  pair.append(side);
  enhanceAll(side);
  requestAnimationFrame(() => link(own, side.firstElementChild));
}
onClick("[data-nearest]", beside);
document.addEventListener("keydown", (event) => {
  if (event.key !== "c" || event.target.matches("input,textarea,select") || document.querySelector("dialog[open]")) return;
  if (!event.ctrlKey && !event.metaKey && !event.altKey) beside().catch((error) => notice(error.message));
});
