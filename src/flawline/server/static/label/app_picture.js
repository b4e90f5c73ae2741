// From picture to picture: opened, restored, left, finished.
import { call, notice } from "/static/api.js";
import { openedPicture } from "/static/label/picture.js";
import { EMPTY } from "/static/label/app_looks.js";
import { find, url } from "/static/label/place.js";
import { decode } from "/static/label/png.js";

export const pictureActs = {
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
};
