// The pictures of a queue as a list that draws only what is on the screen.
import { call } from "/static/api.js";
import { element } from "/static/elements.js";

const ROW = 64, PAGE = 100, MARGIN = 4;
const STATES = { todo: "to do", draft: "draft", done: "done" };

export class Queue {
  constructor(root, { set, open }) {
    Object.assign(this, { root, set, open, name: "todo", pages: new Map(), total: 0, current: null, round: 0 });
    this.list = root.querySelector("[data-list]");
    this.inner = element("ul", { class: "rows" });
    this.list.replaceChildren(this.inner);
    this.list.addEventListener("scroll", () => requestAnimationFrame(() => this.draw()), { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.list);
    this.inner.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (!link || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      open(link.dataset.key);
    });
  }

  address(offset, count, around = "") {
    return `/api/labels/${this.set}/pictures?queue=${this.name}&offset=${offset}&count=${count}&around=${around}`;
  }

  // Reads a queue anew; `place` is where `key` is in it, null where it is not.
  async load(name, key = "") {
    this.round += 1;
    const round = this.round;
    const found = await call("GET", this.address(0, PAGE, key));
    if (round !== this.round) return found;
    this.name = name;
    this.pages = new Map([[0, found.pictures]]);
    this.total = found.total;
    this.place = found.place;
    this.draw();
    return found;
  }

  async change(name) {
    this.name = name;
    this.list.scrollTop = 0;
    return this.load(name, this.current ?? "");
  }

  async at(place) {
    if (place < 0 || place >= this.total) return null;
    const page = Math.floor(place / PAGE);
    await this.#page(page);
    return this.pages.get(page)?.[place % PAGE] ?? null;
  }

  // The picture to go to: `by` places on, counted in the queue as it is now.
  async beside(key, by, place) {
    const found = await this.load(this.name, key);
    if (found.place !== null) return this.at(found.place + by);
    // It has left the queue, and another has taken its place.
    return this.at(by > 0 ? Math.min(place ?? 0, this.total - 1) : (place ?? 1) - 1);
  }

  mark(key, place) {
    this.current = key;
    if (place !== null && place !== undefined) {
      this.place = place;
      const top = place * ROW, { scrollTop, clientHeight } = this.list;
      if (top < scrollTop || top + ROW > scrollTop + clientHeight) this.list.scrollTop = top - clientHeight / 2 + ROW;
    }
    this.draw();
  }

  draw() {
    this.inner.style.height = `${this.total * ROW}px`;
    const first = Math.max(0, Math.floor(this.list.scrollTop / ROW) - MARGIN);
    const last = Math.min(this.total, Math.ceil((this.list.scrollTop + this.list.clientHeight) / ROW) + MARGIN);
    const shown = [];
    for (let place = first; place < last; place++) {
      const page = this.pages.get(Math.floor(place / PAGE));
      if (page) shown.push(this.#row(page[place % PAGE], place));
      else this.#page(Math.floor(place / PAGE)).then(() => this.draw(), () => {});
    }
    this.inner.replaceChildren(...shown.filter(Boolean));
  }

  #row(one, place) {
    if (!one) return null;
    const href = new URL(location);
    href.searchParams.set("picture", one.key);
    href.searchParams.delete("view");
    const facts = [STATES[one.state]];
    if (one.pieces) facts.push(`${one.pieces} ${one.pieces === 1 ? "region" : "regions"}`);
    if (one.suspects) facts.push(`${one.suspects} suspicious`);
    if (one.agreement !== null) facts.unshift(`IoU ${one.agreement.toFixed(2)}`);
    const link = element("a", { href: href.pathname + href.search, "data-key": one.key, title: one.name }, [
      element("img", { src: `/api/labels/${this.set}/pictures/${one.key}/image?side=160`, alt: "", loading: "lazy", width: "64", height: "48" }),
      element("span", { class: "name" }, one.name),
      element("span", { class: `state ${one.state}` }, facts.join(" · ")),
    ]);
    if (one.key === this.current) link.setAttribute("aria-current", "true");
    const row = element("li", {}, link);
    row.style.top = `${place * ROW}px`;
    return row;
  }

  async #page(page) {
    if (this.pages.has(page)) return;
    const round = this.round;
    this.waits ??= new Map();
    const key = `${round}/${page}`;
    if (!this.waits.has(key)) this.waits.set(key, call("GET", this.address(page * PAGE, PAGE)));
    const found = await this.waits.get(key);
    this.waits.delete(key);
    if (round === this.round) this.pages.set(page, found.pictures);
  }
}
