// Two masks of one picture side by side in one layer: what one has alone, the other alone, and both; and ways out.
import { element } from "/static/elements.js";
import { swatch } from "/static/label/panels.js";
import { DIFFERENCE_COLOURS, MaskLayer, colourTable, differences } from "/static/label/layers.js";

export const joins = {
  one: (one) => one,
  other: (_, other) => other,
  both: (one, other) => one.map((value, k) => value || other[k]),
  common: (one, other) => one.map((value, k) => (value === other[k] ? value : 0)),
};

// Intersection over union of one class; null where neither has it.
function overlap(one, other, number) {
  let both = 0, either = 0;
  for (let k = 0; k < one.length; k++) {
    const a = one[k] === number, b = other[k] === number;
    both += a && b;
    either += a || b;
  }
  return either ? both / either : null;
}

export class Comparison {
  constructor(canvas, panel, app) {
    Object.assign(this, { panel, app, shown: null });
    this.layer = new MaskLayer(canvas, colourTable(DIFFERENCE_COLOURS));
    panel.addEventListener("click", (event) => {
      const take = event.target.closest("[data-take]")?.dataset.take;
      if (take && this.shown) app.take(joins[take](this.shown.one, this.shown.other), this.shown);
      if (event.target.closest("[data-uncompare]")) app.uncompare();
    });
  }

  // Shows masks `one` and `other` (places by class) of the people `names`.
  show(one, other, names, { width, height }, conflict = false) {
    const data = differences(one, other), counts = [0, 0, 0, 0, 0];
    for (const kind of data) counts[kind] += 1;
    this.shown = { one, other, names, conflict };
    this.layer.size(width, height);
    this.layer.draw({ width, height, data });
    this.layer.canvas.hidden = false;
    const union = counts[1] + counts[2] + counts[3] + counts[4];
    const iou = union ? (counts[3] + counts[4]) / union : 1;
    const classes = this.app.classes.map((name, k) => [name, overlap(one, other, k + 1)]).filter(([, value]) => value !== null);
    this.panel.querySelector("[data-iou]").textContent = iou.toFixed(2);
    this.panel.querySelector("[data-by-class]").textContent = classes.map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", ");
    const legend = [`only ${names[0]}`, `only ${names[1]}`, "both", "both, another class"];
    this.panel.querySelector("[data-legend]").replaceChildren(...legend.map((words, k) =>
      element("li", {}, [swatch(DIFFERENCE_COLOURS[k]), element("span", { class: "name" }, words), element("span", { class: "area" }, `${counts[k + 1].toLocaleString("en")} px²`)])));
    this.panel.querySelector("[data-why]").textContent = conflict
      ? `${names[1]} saved this picture while you drew. Nothing is lost: look at both, then choose.`
      : "Look at both, take one or join them, then press Enter.";
    this.panel.querySelectorAll("[data-take]").forEach((button) => {
      const words = { one: names[0] === "you" ? "Keep yours" : `Take ${names[0]}’s`, other: `Take ${names[1]}’s`, both: "Join both", common: "What both have" };
      button.textContent = words[button.dataset.take];
    });
    this.panel.querySelector("[data-uncompare]").hidden = conflict;
    this.panel.hidden = false;
  }

  hide() {
    this.shown = null;
    this.layer.canvas.hidden = true;
    this.panel.hidden = true;
  }
}
