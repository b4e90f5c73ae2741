// All pictures on a map by their features: near ones look alike. Drag around some to select them; wheel zooms.
import { element } from "/static/elements.js";

const TILE = 48, ROW = 32, EDGE = 28;

export class PictureMap {
  constructor(root, address, model, actions) {
    Object.assign(this, { root, address, model, actions, items: [], scale: 1, x: 0, y: 0, sheets: [] });
    this.canvas = element("canvas", { tabindex: "0", role: "img" });
    this.name = element("p", { class: "rank-map-name soft", role: "status" });
    root.append(this.canvas, this.name, element("p", { class: "soft" }, "Near each other: alike. Drag around pictures to select them, then press g or b. The wheel zooms, shift with dragging moves, 0 shows all."));
    for (let place = 0; place * ROW * ROW < model.pictures.length; place += 1) {
      const image = new Image();
      image.onload = () => this.draw();
      image.src = `${address}/tiles/${place}`;
      this.sheets.push(image);
    }
    new ResizeObserver(() => this.draw()).observe(root);
    this.listen();
  }

  show(items) {
    this.items = items;
    this.canvas.setAttribute("aria-label", `Map of ${items.length} pictures by how they look`);
    this.draw();
  }

  place(picture) {
    const wide = this.wide - 2 * EDGE, high = this.high - 2 * EDGE;
    const left = EDGE + ((picture.at[0] + 1) / 2) * wide, top = EDGE + ((1 - picture.at[1]) / 2) * high;
    return [this.x + left * this.scale, this.y + top * this.scale];
  }

  draw() {
    if (this.root.hidden) return;
    this.wide = this.root.clientWidth;
    this.high = Math.max(320, Math.min(innerHeight - 260, 900));
    const ratio = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(this.wide * ratio) || this.canvas.height !== Math.round(this.high * ratio)) {
      this.canvas.width = Math.round(this.wide * ratio);
      this.canvas.height = Math.round(this.high * ratio);
      this.canvas.style.width = `${this.wide}px`;
      this.canvas.style.height = `${this.high}px`;
    }
    const paint = this.canvas.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    const colours = Object.fromEntries(["accept", "reject", "line", "accent"].map((name) => [name, style.getPropertyValue(`--${name}`)]));
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint.clearRect(0, 0, this.wide, this.high);
    const side = Math.max(12, Math.min(TILE, (this.wide / Math.sqrt(this.items.length + 1)) * 0.6 * Math.sqrt(this.scale)));
    this.side = side;
    // The most anomalous are drawn last, so that nothing hides them.
    for (let k = this.items.length - 1; k >= 0; k -= 1) {
      const one = this.items[k];
      const [left, top] = this.place(one);
      const sheet = this.sheets[Math.floor((one.rank - 1) / (ROW * ROW))];
      const at = (one.rank - 1) % (ROW * ROW);
      if (sheet?.complete && sheet.naturalWidth)
        paint.drawImage(sheet, (at % ROW) * TILE, Math.floor(at / ROW) * TILE, TILE, TILE, left - side / 2, top - side / 2, side, side);
      const mark = this.model.mark(one), chosen = this.actions.selected(one) || this.actions.current() === one;
      paint.lineWidth = chosen ? 4 : mark ? 3 : 1;
      paint.strokeStyle = chosen ? colours.accent : mark === "good" ? colours.accept : mark === "bad" ? colours.reject : colours.line;
      paint.strokeRect(left - side / 2, top - side / 2, side, side);
    }
    if (this.lasso?.length > 1) {
      paint.lineWidth = 2;
      paint.strokeStyle = colours.accent;
      paint.beginPath();
      this.lasso.forEach(([left, top], k) => (k ? paint.lineTo(left, top) : paint.moveTo(left, top)));
      paint.closePath();
      paint.stroke();
    }
  }

  under(left, top) {
    return this.items.find((one) => {
      const [x, y] = this.place(one);
      return Math.abs(x - left) <= this.side / 2 && Math.abs(y - top) <= this.side / 2;
    });
  }

  listen() {
    const canvas = this.canvas;
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.from = at(event);
      this.moving = event.shiftKey;
      this.lasso = this.moving ? null : [this.from];
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = at(event);
      if (this.moving) {
        this.x += now[0] - this.from[0];
        this.y += now[1] - this.from[1];
        this.from = now;
        this.draw();
      } else if (this.lasso) {
        this.lasso.push(now);
        this.draw();
      } else {
        const one = this.under(...now);
        this.name.textContent = one ? `${one.rank}. ${one.image}` : "";
        this.actions.hover(one ?? null);
      }
    });
    canvas.addEventListener("pointerup", (event) => {
      const lasso = this.lasso ?? [];
      this.lasso = null;
      this.moving = false;
      const wide = lasso.reduce((most, [x, y]) => Math.max(most, Math.hypot(x - lasso[0][0], y - lasso[0][1])), 0);
      if (wide > 8) this.actions.select(this.items.filter((one) => within(lasso, this.place(one))));
      else if (lasso.length) {
        const one = this.under(...at(event));
        if (one) this.actions.open(one);
      }
      this.draw();
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const [left, top] = at(event), next = Math.min(30, Math.max(1, this.scale * Math.exp(-event.deltaY / 400)));
      this.x = left - (left - this.x) * (next / this.scale);
      this.y = top - (top - this.y) * (next / this.scale);
      this.scale = next;
      if (next === 1) [this.x, this.y] = [0, 0];
      this.draw();
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      if (event.key !== "0") return;
      [this.scale, this.x, this.y] = [1, 0, 0];
      this.draw();
    });
  }
}

// Whether a point lies in a polygon: the even-odd rule.
export function within(polygon, [x, y]) {
  let inside = false;
  for (let k = 0, before = polygon.length - 1; k < polygon.length; before = k, k += 1) {
    const [ax, ay] = polygon[k], [bx, by] = polygon[before];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}
