// Saving after every stroke: one request at a time, a draft in the browser until the server has it, conflicts shown.
import { call } from "/static/api.js";
import { draftOf, dropDraft, keepDraft } from "/static/label/drafts.js";
import { encode } from "/static/label/png.js";

const QUIET = 250, AGAIN = 3000;

export class Saving {
  // `show(state, words)` shows the dot; `conflict()` is called where somebody else saved in between.
  constructor({ set, me, own, show, conflict }) {
    Object.assign(this, { set, me, own, show, conflict, key: null, mask: null, version: 0, changes: 0, saved: 0, sending: null, timer: null });
    addEventListener("online", () => this.#soon(0));
  }

  get name() {
    return [this.set, this.key, this.own() ? "own" : ""].join("/");
  }

  get address() {
    return `/api/labels/${this.set}/pictures/${this.key}/mask`;
  }

  get clean() {
    return this.saved === this.changes;
  }

  open(key, mask, version) {
    clearTimeout(this.timer);
    Object.assign(this, { key, mask, version, changes: 0, saved: 0, sending: null });
    this.show("saved", version ? "saved" : "nothing drawn yet");
  }

  draft() {
    return draftOf(this.name);
  }

  forget() {
    return dropDraft(this.name);
  }

  // The mask changed.
  async changed() {
    this.changes += 1;
    this.show("saving", "saving");
    this.#soon(QUIET);
    const { name, mask, version, changes } = this;
    const png = await encode(mask);
    if (this.name === name && this.saved < changes) await keepDraft(name, { png, version });
  }

  // Saves now what is not saved; `done` finishes the picture. It gives what the server knows of the picture then.
  async flush(done = false) {
    clearTimeout(this.timer);
    while (this.sending) await this.sending.catch(() => {});
    if (this.clean && !done) return null;
    const sending = (this.sending = this.#send(done));
    try {
      return await sending;
    } finally {
      if (this.sending === sending) this.sending = null;
    }
  }

  async #send(done) {
    const { key, name, changes } = this;
    const body = new FormData();
    body.append("mask", await encode(this.mask), "mask.png");
    const address = `${this.address}?done=${done}&own=${this.own()}`;
    try {
      const found = await call("PUT", address, body, { "If-Match": `"${this.version}"` });
      if (this.key !== key || this.name !== name) return found;
      this.version = this.own() && found.opinions[this.me] ? found.opinions[this.me].version : found.version;
      this.saved = changes;
      if (this.clean) {
        await dropDraft(name);
        this.show("saved", "saved");
      } else this.#soon(QUIET);
      return found;
    } catch (error) {
      if (this.key === key) this.#failed(error);
      throw error;
    }
  }

  #failed(error) {
    if (error.code === "label-conflict") {
      this.show("problem", "somebody else saved");
      this.conflict();
    } else if (error.status === 0) {
      this.show("offline", "offline: kept in this browser");
      this.#soon(AGAIN);
    } else if ([429, 503].includes(error.status)) {
      this.show("saving", "the server is busy");
      this.#soon(AGAIN / 2);
    } else this.show("problem", error.message);
  }

  #soon(wait) {
    clearTimeout(this.timer);
    if (!this.clean) this.timer = setTimeout(() => this.flush().catch(() => {}), wait);
  }
}
