// The tools that draw: brush, eraser, polygon, magic wand, fill; and moving the picture.
import { call, notice } from "/static/api.js";
import { svg } from "/static/elements.js";

const STEPS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 26, 32, 40, 52, 64, 80, 100, 128, 160, 200];
const CLICK = 4;

export class Tools {
  // `app` gives mask, view, key, drawing (whether this visitor may), number (the class), and takes painted and changed.
  constructor(stage, overlay, app) {
    Object.assign(this, { stage, overlay, app, tool: "brush", size: 12, tolerance: 20, points: [], space: false, down: new Map(), spread: 0, busy: false });
    this.ring = svg("circle", { class: "ring" });
    this.halo = svg("circle", { class: "halo" });
    this.line = svg("polyline", { class: "drawing" });
    this.box = svg("rect", { class: "drawing" });
    overlay.append(this.line, this.box, this.halo, this.ring);
    for (const [name, act] of [["pointerdown", this.#press], ["pointermove", this.#move], ["pointerup", this.#release], ["pointercancel", this.#release]])
      stage.addEventListener(name, (event) => act.call(this, event));
    stage.addEventListener("pointerleave", () => this.#circle([0, 0], 0));
    stage.addEventListener("dblclick", () => this.tool === "polygon" && this.finish());
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  choose(tool) {
    this.cancel();
    this.tool = tool;
    this.stage.dataset.tool = tool;
    this.app.toolChanged();
  }

  resize(by) {
    if (this.tool === "wand") this.tolerance = Math.min(255, Math.max(0, this.tolerance + 4 * by));
    else {
      const at = STEPS.findLastIndex((step) => step <= this.size);
      this.size = STEPS[Math.min(STEPS.length - 1, Math.max(0, at + by))];
      for (const one of [this.ring, this.halo]) if (one.getAttribute("r") > 0) one.setAttribute("r", this.size / 2);
    }
    this.app.toolChanged();
  }

  cancel() {
    this.points = [];
    this.from = null;
    this.#sketch();
  }

  // Closes the polygon that is being drawn.
  finish() {
    const points = this.points;
    this.cancel();
    if (points.length > 2) this.#change((mask) => mask.polygon(points, this.app.number));
  }

  back() {
    this.points.pop();
    this.#sketch();
  }

  #press(event) {
    this.stage.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, event);
    this.moved = 0;
    if (this.down.size === 2) this.#giveUp();
    if (this.down.size > 1) return;
    this.panning = this.space || event.button === 1 || this.tool === "pan" || !this.app.drawing;
    this.stage.classList.toggle("panning", this.panning);
    if (this.panning || event.button !== 0 || !this.app.mask) return;
    const at = this.app.view.at(event);
    if (this.tool === "brush" || this.tool === "eraser") {
      this.app.mask.begin();
      this.last = at;
      this.#paint(at);
    } else if (this.tool === "wand") this.from = at;
    else if (this.tool === "fill") this.#fill(at);
    else if (this.tool === "polygon") this.#point(at);
  }

  #move(event) {
    const at = this.app.view.at(event);
    this.app.pointed(at);
    this.#circle(at, ["brush", "eraser"].includes(this.tool) && this.app.drawing ? this.size / 2 : 0);
    const before = this.down.get(event.pointerId);
    if (this.points.length) this.#sketch(at);
    if (!before) return;
    this.down.set(event.pointerId, event);
    if (this.down.size === 2) return this.#pinch();
    const [right, down] = [event.clientX - before.clientX, event.clientY - before.clientY];
    this.moved += Math.hypot(right, down);
    if (this.panning) this.app.view.move(right, down);
    else if (this.last) for (const one of event.getCoalescedEvents?.().map((e) => this.app.view.at(e)) ?? [at]) this.#paint(one);
    else if (this.from) this.#rectangle(this.from, at);
  }

  #release(event) {
    if (!this.down.delete(event.pointerId)) return;
    this.spread = 0;
    this.stage.classList.remove("panning");
    if (this.last) {
      this.last = null;
      if (this.app.mask.commit()) this.app.changed();
    } else if (this.from) {
      const [from, at] = [this.from, this.app.view.at(event)];
      this.cancel();
      if (this.moved > CLICK) this.#wand({ box: [Math.min(from[0], at[0]), Math.min(from[1], at[1]), Math.abs(from[0] - at[0]), Math.abs(from[1] - at[1])].map(Math.round) });
      else this.#wand({ x: Math.floor(from[0]), y: Math.floor(from[1]), tolerance: this.tolerance });
    }
  }

  // A second finger: what the first began was no stroke.
  #giveUp() {
    if (this.last) {
      this.last = null;
      if (this.app.mask.commit()) this.app.painted(this.app.mask.undo());
      this.app.mask.undone.pop();
    }
    this.cancel();
  }

  #pinch() {
    const [one, other] = this.down.values();
    const now = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const box = this.stage.getBoundingClientRect();
    const [x, y] = [(one.clientX + other.clientX) / 2 - box.left, (one.clientY + other.clientY) / 2 - box.top];
    if (this.spread) {
      this.app.view.zoom(now / this.spread, x, y);
      this.app.view.move(x - this.middle[0], y - this.middle[1]);
    }
    [this.spread, this.middle] = [now, [x, y]];
  }

  // Shows how large the brush is.
  #circle([x, y], reach) {
    for (const one of [this.ring, this.halo]) for (const [name, value] of [["cx", x], ["cy", y], ["r", reach]]) one.setAttribute(name, value);
  }

  #paint(at) {
    const value = this.tool === "eraser" ? 0 : this.app.number;
    this.app.painted(this.app.mask.stroke(...this.last, ...at, this.size, value));
    this.last = at;
  }

  #fill([x, y]) {
    const { mask, number } = this.app;
    [x, y] = [Math.floor(x), Math.floor(y)];
    if (x < 0 || y < 0 || x >= mask.width || y >= mask.height) return;
    const { from, found, open } = mask.connected(x, y);
    if (from === number) return;
    if (from === 0 && open) return notice("This place is not closed: draw an outline around it first.");
    this.#change(() => mask.assign(found, number));
  }

  #point(at) {
    const [first] = this.points;
    const near = first && Math.hypot(at[0] - first[0], at[1] - first[1]) * this.app.view.scale < 10;
    if (near && this.points.length > 2) return this.finish();
    this.points.push(at);
    this.#sketch();
  }

  #change(work) {
    const { mask } = this.app;
    mask.begin();
    this.app.painted(work(mask));
    if (mask.commit()) this.app.changed();
  }

  async #wand(body) {
    const { key, mask } = this.app;
    if (this.busy) return;
    this.busy = true;
    this.stage.classList.add("busy");
    try {
      const { region } = await call("POST", `/api/labels/${this.app.set}/pictures/${key}/wand`, body);
      if (key !== this.app.key || mask !== this.app.mask) return;
      if (!region) return notice("Nothing was found there.");
      this.#change((one) => one.runs(region.box, region.runs, this.app.number));
    } catch (error) {
      notice(error.message);
    } finally {
      this.busy = false;
      this.stage.classList.remove("busy");
    }
  }

  #rectangle(from, at) {
    this.box.setAttribute("x", Math.min(from[0], at[0]));
    this.box.setAttribute("y", Math.min(from[1], at[1]));
    this.box.setAttribute("width", Math.abs(from[0] - at[0]));
    this.box.setAttribute("height", Math.abs(from[1] - at[1]));
  }

  #sketch(at) {
    const points = at && this.points.length ? [...this.points, at] : this.points;
    this.line.setAttribute("points", points.map((point) => point.join(",")).join(" "));
    if (!this.from) for (const name of ["width", "height"]) this.box.setAttribute(name, 0);
  }
}
