// Which verdicts of the last days a change of a recipe would change, with their pictures.
import { call } from "/static/api.js";
import { element } from "/static/elements.js";

const WAIT = 350;
const DAYS = [["1", "day"], ["7", "7 days"], ["30", "30 days"], ["365", "year"]];

export class WhatIf {
  constructor(root, product, recipe) {
    Object.assign(this, { root, product, recipe, days: 7, asked: 0 });
  }

  // Tries a change soon; null forgets the last one.
  ask(change) {
    clearTimeout(this.timer);
    this.change = change;
    if (!change) return this.root.replaceChildren();
    this.timer = setTimeout(() => this.now(), WAIT);
  }

  async now() {
    const number = (this.asked += 1);
    this.root.setAttribute("aria-busy", "true");
    try {
      const body = { recipe: this.recipe, days: this.days, ...this.change };
      const found = await call("POST", `/api/recipes/${encodeURIComponent(this.product)}/what-if`, body);
      if (number === this.asked && this.change) this.show(found);
    } catch (error) {
      if (number === this.asked) this.root.replaceChildren(element("p", { class: "problem" }, error.message));
    } finally {
      this.root.removeAttribute("aria-busy");
    }
  }

  show(found) {
    const days = element("select", { "aria-label": "Records of the last" }, DAYS.map(([value, text]) => element("option", { value }, text)));
    days.value = String(this.days);
    days.addEventListener("change", () => {
      this.days = Number(days.value);
      this.now();
    });
    const counts = new Map();
    for (const one of found.changed) counts.set(`${one.before} to ${one.after}`, (counts.get(`${one.before} to ${one.after}`) ?? 0) + 1);
    const ways = [...counts].map(([way, count]) => `${count} from ${way}`).join(", ");
    const words = !found.looked
      ? "No part was judged by this recipe in that time."
      : found.count
        ? `These ${found.count} of ${found.looked} verdicts would change: ${ways}${found.count > found.changed.length ? ", the first of them" : ""}.`
        : `None of ${found.looked} verdicts would change.`;
    const parts = [element("h3", {}, [element("span", { "data-what-if-words": "" }, words), " ", days])];
    if (found.more) parts.push(element("p", { class: "soft" }, `The newest ${found.looked} were looked at.`));
    if (found.untold) parts.push(element("p", { class: "soft" }, `${found.untold} cannot be told from their records.`));
    parts.push(element("div", { class: "evidence" }, found.changed.map(card)));
    this.root.replaceChildren(...parts);
  }
}

function card(one) {
  const picture = one.has_picture
    ? element("img", { src: `/api/records/${one.id}/picture?side=320`, alt: "", loading: "lazy", width: "320", height: "240" })
    : element("span", { class: "none" }, "no picture kept");
  const words = element("span", { class: "words" }, [
    element("span", { class: `verdict ${one.before}` }, one.before), " → ", element("span", { class: `verdict ${one.after}` }, one.after),
    element("span", { class: "name" }, ` ${one.name}`), element("br"), element("span", { class: "soft" }, one.reason),
    ...(one.decided ? [element("br"), element("span", { class: "soft" }, `a person decided ${one.decided}`)] : []),
  ]);
  return element("a", { class: "card", href: `/records/${one.id}` }, [picture, words]);
}
