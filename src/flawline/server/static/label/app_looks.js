// What the page shows around the picture: its state, facts, shades, counts and address.
import { call } from "/static/api.js";
import { edges } from "/static/label/layers.js";
import { find, root } from "/static/label/place.js";
import { holds } from "/static/label/regions.js";

export const OPACITIES = [0.45, 0.7, 1, 0.2];
export const EMPTY = {
  todo: "Every picture is done.", suspects: "No mask is suspicious. An audit of the labels fills this queue.", disagreements: "Nobody disagrees.",
  second: "No picture waits for your second opinion.", done: "No picture is done yet.", all: "There are no pictures.",
};

export const looksActs = {
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
    for (const [name, count] of Object.entries(counts)) {
      const option = find("queue").querySelector(`[value=${name}]`);
      option.textContent = option.textContent.replace(/\(\d+\)/, `(${count})`);
    }
  },

  // The address names what is shown, so that a link shows another person the same.
  write() {
    const now = new URL(location);
    const says = { queue: this.queue.name, picture: this.key, product: this.product, own: this.own ? "1" : "", view: this.view.text };
    for (const [name, value] of Object.entries(says)) value ? now.searchParams.set(name, value) : now.searchParams.delete(name);
    history.replaceState(null, "", now);
  },
};
