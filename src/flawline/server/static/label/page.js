// The page where masks are drawn: it joins picture, tools, queue, proposals and saving.
import { call, notice, onClick, onSubmit } from "/static/api.js";
import { Comparison } from "/static/label/compare.js";
import { draftNames } from "/static/label/drafts.js";
import { bindKeys } from "/static/label/keys.js";
import { MaskLayer, colourTable, edges } from "/static/label/layers.js";
import { Mask } from "/static/label/mask.js";
import { Classes, Regions } from "/static/label/panels.js";
import { maskOf, openedPicture } from "/static/label/picture.js";
import { decode } from "/static/label/png.js";
import { Proposals } from "/static/label/proposals.js";
import { Queue } from "/static/label/queue.js";
import { holds, placesOf, regionsOf } from "/static/label/regions.js";
import { Saving } from "/static/label/saving.js";
import { Tools } from "/static/label/tools.js";
import { View } from "/static/label/view.js";

const OPACITIES = [0.45, 0.7, 1, 0.2];
const root = document.querySelector("[data-label]");
const find = (name) => root.querySelector(`[data-${name}]`);
const known = JSON.parse(root.dataset.known);
const url = new URLSearchParams(location.search);

const app = {
  set: root.dataset.label, me: root.dataset.me, drawing: root.dataset.may === "yes", classes: known.classes, colours: known.colours,
  key: null, label: null, mask: null, number: 1, own: url.get("own") === "1", product: url.get("product") ?? "", hidden: false, opacity: 0,
  stage: find("stage"), round: 0,

  // --- the picture -------------------------------------------------------------------------------------------------
  async open(key, place = null) {
    if (!(await this.leave())) return;
    this.round += 1;
    const round = this.round;
    this.key = key;
    this.state("loading", "loading the picture");
    this.queue.mark(key, place);
    this.write();
    try {
      const opened = await openedPicture(this.set, key, find("image"), this.own ? this.me : "");
      if (round !== this.round) return;
      this.use(opened);
      await this.restore(opened);
      this.state("ready");
      if (url.get("view")) this.view.text = url.get("view");
      url.delete("view");
      this.more(key);
    } catch (error) {
      if (round === this.round) this.state("failed", error.message);
    }
  },

  use({ label, version, mask }) {
    Object.assign(this, { label, mask });
    this.comparison.hide();
    this.proposals.clear();
    this.regions.chosen = null;
    this.view.size(mask.width, mask.height);
    this.overlay.setAttribute("viewBox", `0 0 ${mask.width} ${mask.height}`);
    this.layer.size(mask.width, mask.height);
    this.layer.draw(mask);
    this.view.fit();
    this.saving.open(this.key, mask, version);
    this.facts();
    this.survey();
  },

  // What the browser kept of a picture that was not saved comes back; somebody else's version in between is a conflict.
  async restore({ version }) {
    const draft = this.drawing && (await this.saving.draft());
    if (!draft) return;
    const { data } = await decode(draft.png);
    if (data.length !== this.mask.data.length) return this.saving.forget();
    const theirs = this.mask.data.slice();
    this.painted(this.mask.replace(data));
    if (draft.version === version) {
      notice("What had not been saved is back.");
      this.changed();
    } else this.conflict(theirs, version);
  },

  // Suspicious places and proposals come by themselves where somebody asked for them; the next picture is fetched ahead.
  async more(key) {
    const base = `/api/labels/${this.set}/pictures`;
    try {
      if (this.label.suspects) await this.proposals.ask(`${base}/${key}/suspects`, "GET", "suspects");
      else if (this.product && this.drawing && this.label.state !== "done") await this.propose();
      if (this.queue.name === "disagreements") await this.compare();
      const next = this.queue.place === null ? null : await this.queue.at(this.queue.place + 1);
      if (next) new Image().src = `${base}/${next.key}/image`;
    } catch (error) {
      notice(error.message);
    }
  },

  async leave() {
    if (!this.key || this.saving.clean) return true;
    try {
      await this.saving.flush();
      return true;
    } catch (error) {
      if (error.code !== "label-conflict") notice(`not saved yet: ${error.message}`);
      return false;
    }
  },

  async go(by) {
    const { key } = this, { place } = this.queue;
    if (!(await this.leave())) return;
    try {
      const next = await this.queue.beside(key, by, place);
      if (next && next.key !== key) return this.open(next.key, (await this.queue.load(this.queue.name, next.key)).place);
      if (!this.queue.total) return this.state("empty", EMPTY[this.queue.name]);
      notice(by > 0 ? "This was the last picture of the queue." : "This is the first picture of the queue.");
    } catch (error) {
      notice(error.message);
    }
  },

  async done() {
    if (!this.drawing || !this.mask || this.comparison.shown?.conflict) return;
    const { key } = this;
    try {
      await this.saving.flush(true);
      if (this.proposals.kind === "suspects" || this.label.suspects) await call("DELETE", `/api/labels/${this.set}/pictures/${key}/suspects`);
    } catch (error) {
      if (error.code !== "label-conflict") notice(error.message);
      return;
    }
    await this.count();
    await this.go(1);
  },

  // --- drawing -----------------------------------------------------------------------------------------------------
  painted(box) {
    if (box) this.layer.draw(this.mask, box);
  },

  changed() {
    this.saving.changed();
    clearTimeout(this.surveying);
    this.surveying = setTimeout(() => this.survey(), 120);
    find("undo").disabled = !this.mask.done.length;
    find("redo").disabled = !this.mask.undone.length;
  },

  survey() {
    this.regions.set(regionsOf(this.mask));
    find("undo").disabled = !this.drawing || !this.mask.done.length;
    find("redo").disabled = !this.drawing || !this.mask.undone.length;
  },

  undo() {
    if (this.tools.points.length) return this.tools.back();
    const box = this.drawing && this.mask?.undo();
    if (box) this.painted(box), this.changed();
  },

  redo() {
    const box = this.drawing && this.mask?.redo();
    if (box) this.painted(box), this.changed();
  },

  recolour(region, value) {
    this.mask.begin();
    this.painted(this.mask.assign(placesOf(region, this.mask.width), value));
    if (this.mask.commit()) this.changed();
    this.survey();
  },

  pick(number) {
    if (number > this.classes.length) return notice(`There is no class ${number}; add it with Edit.`);
    if (this.number === 0 || this.tools.tool === "eraser") this.tools.choose("brush");
    this.number = number;
    this.classList.draw();
  },

  digit(number) {
    if (this.regions.chosen && this.drawing && number <= this.classes.length) this.recolour(this.regions.chosen, number);
    this.pick(number);
  },

  enter() {
    if (this.tools.points.length) return this.tools.finish();
    if (this.proposals.current) return this.proposals.accept();
    return this.done();
  },

  remove() {
    if (this.proposals.current) return this.proposals.reject();
    if (this.tools.points.length) return this.tools.back();
    if (this.regions.chosen && this.drawing) this.recolour(this.regions.chosen, 0);
  },

  escape() {
    if (this.tools.points.length) this.tools.cancel();
    else if (this.comparison.shown && !this.comparison.shown.conflict) this.uncompare();
    else if (this.regions.chosen) this.regions.choose(null);
    else this.proposals.clear();
  },

  // --- proposals, comparisons, conflicts ---------------------------------------------------------------------------
  async propose() {
    if (!this.drawing || !this.mask) return;
    if (!known.products.length) return notice("No product has a recipe that could propose masks yet.");
    const product = find("product").value || known.products[0];
    find("product").value = this.product = product;
    this.write();
    const address = `/api/labels/${this.set}/pictures/${this.key}/proposals?product=${encodeURIComponent(product)}`;
    find("proposing").hidden = false;
    try {
      const count = await this.proposals.ask(address, "POST", "proposals");
      if (count) this.stage.focus({ preventScroll: true });
      else notice(`The recipe of ${product} marks nothing here.`);
    } catch (error) {
      notice(error.message);
    } finally {
      find("proposing").hidden = true;
    }
  },

  proposalsDone(kind) {
    notice(kind === "suspects" ? "All suspicious places are settled: Enter goes on." : "All proposals are settled: Enter goes on.");
  },

  async compare() {
    if (this.comparison.shown) return this.comparison.shown.conflict ? undefined : this.uncompare();
    const people = Object.keys(this.label?.opinions ?? {});
    if (people.length < 2) return notice("One person alone has drawn this picture. A second opinion makes two.");
    const { width, height } = this.mask, base = `/api/labels/${this.set}/pictures/${this.key}/mask?who=`;
    try {
      const [one, other] = await Promise.all(people.slice(0, 2).map((who) => maskOf(base + encodeURIComponent(who), width, height)));
      this.comparison.show(one.data, other.data, people.slice(0, 2), { width, height });
      this.layer.canvas.hidden = true;
    } catch (error) {
      notice(error.message);
    }
  },

  uncompare() {
    this.comparison.hide();
    this.layer.canvas.hidden = false;
  },

  async conflict(theirs, version) {
    const { width, height } = this.mask;
    try {
      if (!theirs) {
        const who = this.own ? `?who=${encodeURIComponent(this.me)}` : "";
        ({ data: theirs, version } = await maskOf(`${this.saving.address}${who}`, width, height));
      }
      this.label = await call("GET", `/api/labels/${this.set}/pictures/${this.key}`);
      const who = this.label.saved?.who === this.me ? "another window" : this.label.saved?.who ?? "somebody";
      this.saving.version = version;
      this.comparison.show(this.mask.data.slice(), theirs, ["you", who], { width, height }, true);
      this.layer.canvas.hidden = true;
    } catch (error) {
      notice(error.message);
    }
  },

  take(data) {
    this.uncompare();
    this.painted(this.mask.replace(data));
    this.changed();
    this.survey();
  },

  // --- what is shown -----------------------------------------------------------------------------------------------
  state(name, words = "") {
    root.dataset.state = name;
    find("words").textContent = words;
    find("retry").hidden = name !== "failed";
    if (name === "empty") this.key = this.mask = null;
    if (name === "ready") this.stage.focus({ preventScroll: true });
  },

  facts() {
    const { saved, name, people, agreement } = this.label;
    const said = [`${this.mask.width} × ${this.mask.height} px`];
    if (saved) said.push(`${saved.done ? "finished" : "draft"} by ${saved.who}${saved.version ? `, version ${saved.version}` : ""}`);
    if (people.length > 1) said.push(`drawn by ${people.join(" and ")}${agreement === null ? "" : `, IoU of the worst class ${agreement.toFixed(2)}`}`);
    find("name").textContent = name;
    find("facts").textContent = said.join(" · ");
    document.title = `${name} · Flawline`;
  },

  hideMasks() {
    this.hidden = !this.hidden;
    this.layer.canvas.classList.toggle("away", this.hidden);
    find("hide").setAttribute("aria-pressed", String(this.hidden));
  },

  nextOpacity() {
    this.opacity = (this.opacity + 1) % OPACITIES.length;
    this.shade(OPACITIES[this.opacity]);
  },

  shade(share) {
    this.layer.canvas.style.opacity = share;
    find("opacity").value = Math.round(100 * share);
  },

  pointed([x, y]) {
    find("at").textContent = this.mask && x >= 0 && y >= 0 && x < this.mask.width && y < this.mask.height ? `${Math.floor(x)}, ${Math.floor(y)}` : "";
  },

  toolChanged() {
    const { tool, size, tolerance } = this.tools;
    root.querySelectorAll("[data-tool]").forEach((button) => button !== this.stage && button.setAttribute("aria-pressed", String(button.dataset.tool === tool)));
    find("size").textContent = tool === "wand" ? `tolerance ${tolerance}` : `${size} px`;
  },

  chosenChanged(one) {
    this.chosenGroup.replaceChildren(...(one ? [edges(one.box, (x, y) => holds(one, one.left + x, one.top + y))] : []));
  },

  proposalsChanged() {
    find("proposed-none").hidden = this.proposals.left.length > 0;
  },

  async count() {
    const { counts } = await call("GET", `/api/labels/${this.set}`);
    for (const [name, count] of Object.entries(counts)) find("queue").querySelector(`[value=${name}]`).textContent = `${QUEUES[name]} (${count})`;
  },

  // The address names what is shown, so that a link shows another person the same.
  write() {
    const now = new URL(location);
    const says = { queue: this.queue.name, picture: this.key, product: this.product, own: this.own ? "1" : "", view: this.view.text };
    for (const [name, value] of Object.entries(says)) value ? now.searchParams.set(name, value) : now.searchParams.delete(name);
    history.replaceState(null, "", now);
  },
};

const QUEUES = { todo: "To do", suspects: "Suspicious", disagreements: "Disagreements", second: "For a second opinion", done: "Done", all: "All" };
const EMPTY = {
  todo: "Every picture is done.", suspects: "No mask is suspicious. An audit of the labels fills this queue.", disagreements: "Nobody disagrees.",
  second: "No picture waits for your second opinion.", done: "No picture is done yet.", all: "There are no pictures.",
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
find("second")?.addEventListener("change", async (event) => {
  if (!(await app.leave())) return;
  app.own = event.target.checked;
  app.open(app.key);
});
onClick("[data-dialog]", (button) => document.querySelector(`dialog[data-${button.dataset.dialog}-dialog]`).showModal());
onClick("[data-shut]", (button) => button.closest("dialog").close());
onClick("[data-list-switch]", () => root.classList.toggle("listing"));

onSubmit(document.querySelector("[data-class-form]"), async (data) => {
  const names = data.get("classes").split("\n").map((name) => name.trim()).filter(Boolean);
  app.classes = (await call("PATCH", `/api/labels/${app.set}`, { classes: names })).classes;
  app.classList.draw();
  app.regions.draw();
  document.querySelector("dialog[data-classes-dialog]").close();
});
onSubmit(document.querySelector("[data-train-form]"), async (data) => {
  const job = await call("POST", `/api/labels/${app.set}/train`, { part: data.get("part"), minutes: Number(data.get("minutes")) });
  location.href = `/train/${job.id}`;
});
onSubmit(document.querySelector("[data-audit-form]"), async (data, event) => {
  if (event.submitter?.value === "send") {
    const body = new FormData();
    body.append("file", data.get("file"));
    await call("PUT", `/api/labels/${app.set}/suspects`, body);
    await app.count();
    document.querySelector("dialog[data-audit-dialog]").close();
    find("queue").value = "suspects";
    find("queue").dispatchEvent(new Event("change"));
    return;
  }
  const job = await call("POST", `/api/labels/${app.set}/audit`, { minutes: Number(data.get("minutes")) });
  document.querySelector("dialog[data-audit-dialog]").close();
  follow(job);
});

// An audit goes on while people draw; its progress stands beside the queue.
function follow(job) {
  const events = new EventSource(`/api/jobs/${job.id}/events`);
  const place = find("auditing");
  place.hidden = false;
  events.onmessage = async (event) => {
    const now = JSON.parse(event.data);
    place.textContent = `Audit: ${now.doing || "waiting"}${now.total ? `, ${now.done} of ${now.total}` : ""}`;
    if (["waiting", "running"].includes(now.state)) return;
    events.close();
    place.textContent = now.error ? `The audit failed: ${now.error.message}` : now.result ? `${now.result.verdict}: ${now.result.suspects} suspicious places` : "The audit was cancelled.";
    await app.count();
  };
}

addEventListener("beforeunload", (event) => {
  if (!app.saving.clean) event.preventDefault();
});

async function start() {
  app.queue.name = url.get("queue") in QUEUES ? url.get("queue") : "todo";
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
