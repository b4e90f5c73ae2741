// The page where masks are drawn: it joins picture, tools, queue, proposals and saving.
import { onClick } from "/static/api.js";
import { drawingActs } from "/static/label/app_drawing.js";
import { EMPTY, OPACITIES, looksActs } from "/static/label/app_looks.js";
import { othersActs } from "/static/label/app_others.js";
import { pictureActs } from "/static/label/app_picture.js";
import { Comparison } from "/static/label/compare.js";
import { bindDialogs } from "/static/label/dialogs.js";
import { draftNames } from "/static/label/drafts.js";
import { bindKeys } from "/static/label/keys.js";
import { MaskLayer, colourTable } from "/static/label/layers.js";
import { Classes, Regions } from "/static/label/panels.js";
import { find, known, root, url } from "/static/label/place.js";
import { Proposals } from "/static/label/proposals.js";
import { Queue } from "/static/label/queue.js";
import { Saving } from "/static/label/saving.js";
import { Tools } from "/static/label/tools.js";
import { View } from "/static/label/view.js";

const app = {
  set: root.dataset.label, me: root.dataset.me, drawing: root.dataset.may === "yes", classes: known.classes, colours: known.colours,
  key: null, label: null, mask: null, number: 1, own: url.get("own") === "1", product: url.get("product") ?? "", hidden: false, opacity: 0,
  stage: find("stage"), round: 0,
  ...pictureActs, ...drawingActs, ...othersActs, ...looksActs,
};

app.overlay = find("overlay");
app.chosenGroup = find("chosen");
app.layer = new MaskLayer(find("mask"), colourTable(app.colours));
app.saving = new Saving({
  set: app.set, me: app.me, own: () => app.own, conflict: () => app.conflict(),
  show: (state, words) => Object.assign(find("saved"), { className: `saved ${state}`, textContent: words }),
});
let writing = null;
app.view = new View(app.stage, find("world"), () => {
  find("zoom").textContent = `${Math.round(100 * app.view.scale)} %`;
  clearTimeout(writing);
  writing = setTimeout(() => app.write(), 300);
});
app.queue = new Queue(root, { set: app.set, open: async (key) => app.open(key, (await app.queue.load(app.queue.name, key)).place) });
app.classList = new Classes(find("classes"), app);
app.regions = new Regions(find("regions-panel"), app);
app.proposals = new Proposals(find("proposals"), find("proposal-group"), app);
app.comparison = new Comparison(find("difference"), find("comparison"), app);
app.tools = new Tools(app.stage, app.overlay, app);
app.tools.choose(app.drawing ? "brush" : "pan");
app.classList.draw();
app.shade(OPACITIES[0]);
bindKeys(app);

root.querySelectorAll("button[data-tool]").forEach((button) => button.addEventListener("click", () => app.tools.choose(button.dataset.tool)));
const acts = {
  undo: "undo", redo: "redo", hide: "hideMasks", propose: "propose", compare: "compare", accept: "enter", reject: "remove", finish: "done",
};
for (const [name, act] of Object.entries(acts))
  find(name)?.addEventListener("click", () => { app[act](); app.stage.focus({ preventScroll: true }); });
find("fit").addEventListener("click", () => app.view.fit());
find("smaller").addEventListener("click", () => app.tools.resize(-1));
find("larger").addEventListener("click", () => app.tools.resize(1));
find("before").addEventListener("click", () => app.go(-1));
find("after").addEventListener("click", () => app.go(1));
find("retry").addEventListener("click", () => (app.key ? app.open(app.key) : start()));
find("opacity").addEventListener("input", (event) => app.shade(event.target.value / 100));
find("product")?.addEventListener("change", (event) => { app.product = event.target.value; app.write(); });
find("queue").addEventListener("change", async (event) => {
  const { place } = await app.queue.change(event.target.value);
  if (place === null) return app.go(1);
  app.queue.mark(app.key, place);
  app.write();
});
if (find("second")) find("second").checked = app.own;
find("second")?.addEventListener("change", async (event) => {
  if (!(await app.leave())) return;
  app.own = event.target.checked;
  app.open(app.key);
});
bindDialogs(app);
onClick("[data-list-switch]", () => root.classList.toggle("listing"));

addEventListener("beforeunload", (event) => {
  if (!app.saving.clean) event.preventDefault();
});

async function start() {
  app.queue.name = url.get("queue") in EMPTY ? url.get("queue") : "todo";
  find("queue").value = app.queue.name;
  app.state("loading", "loading the queue");
  try {
    const mine = `${app.set}/`;
    const left = app.drawing ? ((await draftNames()) ?? []).find((name) => name.startsWith(mine) && !name.endsWith("own")) : null;
    const wanted = url.get("picture") ?? left?.split("/")[1] ?? "";
    const found = await app.queue.load(app.queue.name, wanted);
    if (wanted) return await app.open(wanted, found.place);
    const first = await app.queue.at(0);
    if (first) await app.open(first.key, 0);
    else app.state("empty", EMPTY[app.queue.name]);
  } catch (error) {
    app.state("failed", error.message);
  }
}
start();
