// Regions that a recipe proposes, or that an audit holds for wrong: gone through by key, accepted or rejected.
import { call } from "/static/api.js";
import { element } from "/static/elements.js";
import { outline } from "/static/label/layers.js";

export class Proposals {
  constructor(place, group, app) {
    Object.assign(this, { place, group, app, left: [], at: -1, kind: "" });
    place.addEventListener("click", (event) => {
      const button = event.target.closest("[data-proposal]");
      if (button) this.go(Number(button.dataset.proposal));
    });
  }

  get current() {
    return this.left[this.at] ?? null;
  }

  clear() {
    Object.assign(this, { left: [], at: -1, kind: "" });
    this.draw();
  }

  async ask(address, method, kind) {
    const { key } = this.app;
    const { regions } = await call(method, address);
    if (key !== this.app.key) return 0;
    Object.assign(this, { left: regions, at: regions.length ? 0 : -1, kind });
    this.draw();
    return regions.length;
  }

  go(place) {
    if (!this.left.length) return;
    this.at = (place + this.left.length) % this.left.length;
    this.app.view.show(this.current.box);
    this.draw();
  }

  step(by) {
    this.go(this.at + by);
  }

  accept() {
    const one = this.current, { mask } = this.app;
    if (!one) return;
    mask.begin();
    this.app.painted(mask.runs(one.box, one.runs, one.class ?? this.app.number));
    if (mask.commit()) this.app.changed();
    this.#next();
  }

  reject() {
    if (this.current) this.#next();
  }

  #next() {
    this.left.splice(this.at, 1);
    if (this.at >= this.left.length) this.at = this.left.length - 1;
    if (this.current) this.app.view.show(this.current.box);
    else this.app.proposalsDone(this.kind);
    this.draw();
  }

  draw() {
    this.group.replaceChildren(...this.left.map((one, k) => outline(one.outlines, k === this.at ? "proposal now" : "proposal")));
    const rows = this.left.map((one, k) => {
      const words = this.kind === "suspects" ? `${one.given} → ${one.label}` : one.label;
      const score = one.score === null || one.score === undefined ? "" : ` · ${one.score.toPrecision(3)}`;
      const button = element("button", { type: "button", "data-proposal": k }, `${words} · ${one.area} px²${score}`);
      if (k === this.at) button.setAttribute("aria-current", "true");
      return element("li", {}, button);
    });
    this.place.querySelector("[data-proposed]").replaceChildren(...rows);
    this.place.querySelector("[data-judge]").hidden = !this.left.length;
    this.app.proposalsChanged();
  }
}
