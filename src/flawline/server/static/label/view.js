// Where the picture lies on the stage: zoom, pan, and from the pointer to pixels.

const LEAST = 0.02, MOST = 60;

export class View {
  constructor(stage, world, changed) {
    Object.assign(this, { stage, world, changed, scale: 1, x: 0, y: 0, width: 1, height: 1, fitted: true });
    new ResizeObserver(() => this.fitted && this.fit()).observe(stage);
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = stage.getBoundingClientRect();
      const step = event.deltaMode ? 40 * event.deltaY : event.deltaY;
      this.zoom(Math.exp(-step / 400), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
  }

  size(width, height) {
    Object.assign(this, { width, height });
    this.world.style.width = `${width}px`;
    this.world.style.height = `${height}px`;
  }

  fit() {
    const { clientWidth, clientHeight } = this.stage;
    this.scale = Math.min(MOST, Math.max(LEAST, 0.96 * Math.min(clientWidth / this.width, clientHeight / this.height)));
    this.centre(this.width / 2, this.height / 2);
    this.fitted = true;
  }

  centre(x, y) {
    this.x = this.stage.clientWidth / 2 - x * this.scale;
    this.y = this.stage.clientHeight / 2 - y * this.scale;
    this.fitted = false;
    this.draw();
  }

  // Shows a box of the picture with some room around it.
  show([left, top, width, height]) {
    const { clientWidth, clientHeight } = this.stage;
    const most = Math.min(clientWidth / (3 * width), clientHeight / (3 * height), 8);
    this.scale = Math.max(this.scale, LEAST, Math.min(MOST, most));
    this.centre(left + width / 2, top + height / 2);
  }

  zoom(factor, left = this.stage.clientWidth / 2, top = this.stage.clientHeight / 2) {
    const next = Math.min(MOST, Math.max(LEAST, this.scale * factor));
    this.x = left - (left - this.x) * (next / this.scale);
    this.y = top - (top - this.y) * (next / this.scale);
    this.scale = next;
    this.fitted = false;
    this.draw();
  }

  move(right, down) {
    this.x += right;
    this.y += down;
    this.fitted = false;
    this.draw();
  }

  // The place of the pointer in px of the picture.
  at(event) {
    const box = this.stage.getBoundingClientRect();
    return [(event.clientX - box.left - this.x) / this.scale, (event.clientY - box.top - this.y) / this.scale];
  }

  // As text for the address: the middle of the stage and the zoom; empty where the picture is fitted in.
  get text() {
    if (this.fitted) return "";
    const x = (this.stage.clientWidth / 2 - this.x) / this.scale, y = (this.stage.clientHeight / 2 - this.y) / this.scale;
    return [x.toFixed(0), y.toFixed(0), this.scale.toFixed(3)].join(",");
  }

  set text(value) {
    const [x, y, scale] = value.split(",").map(Number);
    if (![x, y, scale].every(Number.isFinite) || scale <= 0) return this.fit();
    this.scale = Math.min(MOST, Math.max(LEAST, scale));
    this.centre(x, y);
  }

  draw() {
    this.world.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    // One pixel of the screen in px of the picture, for lines that stay as thin.
    this.world.style.setProperty("--px", 1 / this.scale);
    this.world.classList.toggle("pixels", this.scale > 3);
    this.changed();
  }
}
