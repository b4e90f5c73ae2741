// What changes the mask, beside the tools: undo, classes, regions; and what the keys Enter, Delete and Escape mean.
import { notice } from "/static/api.js";
import { find } from "/static/label/place.js";
import { placesOf, regionsOf } from "/static/label/regions.js";

export const drawingActs = {
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
};
