// The panels beside the picture: classes with their keys, and the regions of the mask with their areas.
import { element } from "/static/elements.js";

const SHOWN = 200;

export function swatch(colour) {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  made.style.background = colour;
  return made;
}

export class Classes {
  constructor(place, app) {
    Object.assign(this, { place, app });
    place.addEventListener("click", (event) => {
      const button = event.target.closest("[data-class]");
      if (button) app.pick(Number(button.dataset.class));
    });
  }

  draw() {
    const { classes, colours, number } = this.app;
    this.place.replaceChildren(...classes.map((name, k) => {
      const button = element("button", { type: "button", "data-class": k + 1, "aria-pressed": String(number === k + 1) }, [
        swatch(colours[k % colours.length]), element("span", { class: "name" }, name),
      ]);
      if (k < 9) button.append(element("kbd", {}, String(k + 1)));
      return element("li", {}, button);
    }));
  }
}

export class Regions {
  constructor(place, app) {
    Object.assign(this, { place, app, regions: [], chosen: null });
    this.list = place.querySelector("[data-regions]");
    this.count = place.querySelector("[data-count]");
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-region]");
      if (!row) return;
      const one = this.regions[Number(row.dataset.region)];
      if (event.target.closest("[data-away]")) app.recolour(one, 0);
      else this.choose(one);
    });
  }

  set(regions) {
    // What was chosen stays chosen where it is still the same.
    const { chosen } = this;
    this.regions = regions;
    this.chosen = chosen && regions.find((one) => one.area === chosen.area && one.value === chosen.value && one.box.join() === chosen.box.join());
    this.draw();
  }

  choose(one) {
    this.chosen = one;
    if (one) this.app.view.show(one.box);
    this.draw();
  }

  draw() {
    const { classes, colours, drawing } = this.app;
    const total = this.regions.reduce((sum, one) => sum + one.area, 0);
    this.count.textContent = this.regions.length ? `${this.regions.length}, ${total.toLocaleString("en")} px²` : "none";
    this.list.replaceChildren(...this.regions.slice(0, SHOWN).map((one, k) => {
      const name = classes[one.value - 1] ?? `class ${one.value}`;
      const row = element("li", { "data-region": k }, element("button", { type: "button" }, [
        swatch(colours[(one.value - 1) % colours.length]), element("span", { class: "name" }, name), element("span", { class: "area" }, `${one.area.toLocaleString("en")} px²`),
      ]));
      if (drawing) row.append(element("button", { type: "button", class: "away", "data-away": "", "aria-label": `Remove ${name} of ${one.area} pixels` }, "×"));
      if (one === this.chosen) row.classList.add("now");
      return row;
    }));
    if (this.regions.length > SHOWN) this.list.append(element("li", { class: "soft" }, `and ${this.regions.length - SHOWN} smaller ones`));
    this.app.chosenChanged(this.chosen);
  }
}
