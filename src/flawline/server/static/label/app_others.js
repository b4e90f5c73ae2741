// Masks of others: proposals of a recipe, two people's masks, and what somebody saved in between.
import { call, notice } from "/static/api.js";
import { maskOf } from "/static/label/picture.js";
import { find, known } from "/static/label/place.js";

export const othersActs = {
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
};
