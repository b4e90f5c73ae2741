// The picture chosen, beside the others: large with heat, why, where its score stands, and what looks like it.
import { call } from "/static/api.js";
import { enhance } from "/static/viewer.js";
import { element, svg } from "/static/elements.js";

const BINS = 36;

export class Panel {
  constructor(root, address, model, actions) {
    Object.assign(this, { root, address, model, actions });
    const scores = model.pictures.map((one) => one.score);
    this.low = Math.min(...scores);
    this.high = Math.max(...scores, this.low + 1e-9);
  }

  bin(score) {
    return Math.min(BINS - 1, Math.floor(((score - this.low) / (this.high - this.low)) * BINS));
  }

  show(picture) {
    if (this.picture === picture) return this.refresh();
    this.picture = picture;
    this.root.hidden = false;
    this.root.replaceChildren(
      element("div", { class: "rank-panel-head" }, [
        element("h2", {}, `${picture.rank}. ${picture.image}`),
        element("button", { type: "button", class: "close", "aria-label": "Close", "data-close": "" }, "×"),
      ]),
      this.viewer(picture),
      element("div", { class: "keys" }, [
        element("button", { type: "button", class: "accept", "data-mark-one": "good" }, [element("kbd", {}, "g"), " Good"]),
        element("button", { type: "button", class: "reject", "data-mark-one": "bad" }, [element("kbd", {}, "b"), " Bad"]),
      ]),
      ...this.why(picture),
      element("h3", {}, "Score among the others"),
      this.histogram(picture),
      element("h3", {}, "Looks like"),
      this.like(picture),
    );
    enhance(this.root.querySelector("[data-viewer]"));
    this.refresh();
  }

  refresh() {
    if (!this.picture) return;
    for (const button of this.root.querySelectorAll("[data-mark-one]"))
      button.setAttribute("aria-pressed", String(this.model.mark(this.picture) === button.dataset.markOne));
  }

  close() {
    this.picture = null;
    this.root.hidden = true;
    this.root.replaceChildren();
  }

  viewer(picture) {
    const base = `${this.address}/pictures/${picture.rank}`;
    const whole = element("img", { class: "picture", src: base, alt: picture.image });
    // The small one is there at once; the whole one takes its place when it has come.
    const large = new Image();
    large.onload = () => { if (whole.isConnected) whole.src = large.src; };
    large.src = `${base}/whole`;
    const layers = [whole];
    if (picture.place) layers.push(element("img", { class: "heat", src: `${base}/heat`, alt: "" }));
    const tools = [
      picture.place && element("label", {}, ["Heat ", element("input", { type: "range", min: "0", max: "100", value: "55", "data-heat": "" })]),
      element("label", { hidden: "" }, [element("input", { type: "checkbox", "data-outlines": "", checked: "" }), " Outlines"]),
      element("button", { type: "button", "data-fit": "" }, "Fit"),
      element("span", { class: "soft", "data-zoom": "" }, "100 %"),
    ].filter(Boolean);
    return element("figure", { class: "viewer", "data-viewer": "", tabindex: "0", role: "group", "aria-label": `Picture of ${picture.image}; plus and minus zoom, arrows move, h shows or hides heat` }, [
      element("div", { class: "stage" }, layers),
      element("figcaption", { class: "tools" }, tools),
    ]);
  }

  why(picture) {
    const words = picture.reasons.length
      ? [element("ol", { class: "reasons" }, picture.reasons.map((text) => element("li", {}, text)))]
      : [element("p", { class: "soft" }, `Score ${picture.score.toFixed(2)}; reasons and heat are given for the first ${this.model.explained}.`)];
    if (picture.notes.length) words.push(element("p", { class: "soft" }, picture.notes.join("; ")));
    return [element("h3", {}, "Why"), ...words];
  }

  histogram(picture) {
    const bars = Array.from({ length: BINS }, () => ({ good: 0, bad: 0, none: 0, first: null }));
    for (const one of this.model.pictures) {
      const bar = bars[this.bin(one.score)];
      bar[this.model.mark(one) || "none"] += 1;
      bar.first ??= one;
    }
    const most = Math.max(...bars.map((bar) => bar.good + bar.bad + bar.none));
    const drawn = svg("svg", { viewBox: `0 0 ${BINS * 8} 84`, class: "rank-histogram", role: "group", "aria-label": "Histogram of scores; a bar leads to its first picture" });
    bars.forEach((bar, place) => {
      const all = bar.good + bar.bad + bar.none;
      if (!all) return;
      const group = svg("g", { class: "bar", tabindex: "0", role: "button", "aria-label": `${all} pictures, from rank ${bar.first.rank}` });
      let top = 72;
      for (const kind of ["none", "good", "bad"]) {
        const high = (bar[kind] / most) * 66;
        if (!bar[kind]) continue;
        top -= Math.max(high, 1);
        group.append(svg("rect", { x: place * 8 + 0.5, y: top, width: 7, height: Math.max(high, 1), class: kind }));
      }
      group.append(svg("rect", { x: place * 8, y: 0, width: 8, height: 72, class: "reach" }));
      group.addEventListener("click", () => this.actions.open(bar.first));
      group.addEventListener("keydown", (event) => { if (event.key === "Enter") this.actions.open(bar.first); });
      drawn.append(group);
    });
    const at = ((picture.score - this.low) / (this.high - this.low)) * BINS * 8;
    drawn.append(svg("line", { x1: at, x2: at, y1: 0, y2: 76, class: "here" }));
    drawn.append(svg("text", { x: Math.min(Math.max(at, 24), BINS * 8 - 24), y: 83, class: "axis", "text-anchor": "middle" }, picture.score.toFixed(2)));
    return drawn;
  }

  like(picture) {
    const strip = element("div", { class: "rank-like" }, [element("p", { class: "soft" }, "looking")]);
    call("GET", `${this.address}/pictures/${picture.rank}/like?count=8`)
      .then(({ like }) => {
        if (this.picture !== picture) return;
        const tiles = like.map(({ rank }) => {
          const one = this.model.pictures[rank - 1];
          const button = element("button", { type: "button", "aria-label": `${rank}. ${one.image}` }, [element("img", { src: `${this.address}/pictures/${rank}`, alt: "", loading: "lazy" }), element("span", {}, String(rank))]);
          button.addEventListener("click", () => this.actions.open(one));
          return button;
        });
        strip.replaceChildren(...tiles);
        const all = element("button", { type: "button", "data-select-like": "" }, [element("kbd", {}, "l"), " Select all like this"]);
        const sorted = element("button", { type: "button", "data-sort-like": "" }, "Sort by likeness");
        strip.after(element("p", { class: "search" }, [all, sorted]));
      })
      .catch((error) => strip.replaceChildren(element("p", { class: "problem" }, error.message)));
    return strip;
  }
}
