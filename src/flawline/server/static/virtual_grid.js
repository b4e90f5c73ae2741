// A grid of thousands of cards of which only those near the window exist.

const GAP = 12, SPARE = 2;

export class VirtualGrid {
  // `make` returns an empty card, `fill` shows an item in it; a card is `least` px wide at least, and has `below` px of words; its picture is `aspect` times as high as wide.
  constructor(root, { make, fill, least = 200, below = 46, aspect = 0.75 }) {
    Object.assign(this, { root, make, fill, least, below, aspect, items: [], nodes: new Map(), free: [], drawn: -1 });
    root.classList.add("virtual");
    this.onScroll = () => {
      if (!this.waiting) this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.draw(); });
    };
    addEventListener("scroll", this.onScroll, { passive: true });
    new ResizeObserver(() => this.layout()).observe(root);
  }

  show(items) {
    this.items = items;
    for (const node of this.nodes.values()) this.release(node);
    this.nodes.clear();
    this.layout();
  }

  layout() {
    const width = this.root.clientWidth;
    if (!width) return;
    const columns = Math.max(2, Math.floor((width + GAP) / (this.least + GAP)));
    const wide = (width - GAP * (columns - 1)) / columns;
    const high = Math.round(wide * this.aspect) + this.below;
    const same = columns === this.columns && wide === this.wide;
    Object.assign(this, { columns, wide, high, rows: Math.ceil(this.items.length / columns) });
    this.root.style.height = `${Math.max(0, this.rows * (high + GAP) - GAP)}px`;
    if (!same) for (const [index, node] of this.nodes) this.put(node, index);
    this.draw();
  }

  draw() {
    if (!this.wide || this.root.hidden) return;
    const top = this.root.getBoundingClientRect().top, step = this.high + GAP;
    const first = Math.max(0, Math.floor(-top / step) - SPARE);
    const last = Math.min(this.rows, Math.ceil((innerHeight - top) / step) + SPARE);
    const from = first * this.columns, upto = Math.min(this.items.length, last * this.columns);
    for (const [index, node] of this.nodes) {
      if (index < from || index >= upto) {
        this.nodes.delete(index);
        this.release(node);
      }
    }
    for (let index = from; index < upto; index += 1) {
      if (this.nodes.has(index)) continue;
      const node = this.free.pop() ?? this.root.appendChild(this.make());
      this.nodes.set(index, node);
      this.put(node, index);
      node.hidden = false;
      this.fill(node, this.items[index], index);
    }
  }

  put(node, index) {
    const row = Math.floor(index / this.columns), column = index % this.columns;
    node.style.width = `${this.wide}px`;
    node.style.height = `${this.high}px`;
    node.style.transform = `translate(${column * (this.wide + GAP)}px, ${row * (this.high + GAP)}px)`;
  }

  release(node) {
    node.hidden = true;
    this.free.push(node);
  }

  refill() {
    for (const [index, node] of this.nodes) this.fill(node, this.items[index], index);
  }

  // Scrolls until an item is in the window, no farther than needed.
  reveal(index) {
    const top = this.root.getBoundingClientRect().top + Math.floor(index / this.columns) * (this.high + GAP);
    const edge = 150;
    if (top < edge) scrollBy(0, top - edge);
    else if (top + this.high > innerHeight - 16) scrollBy(0, top + this.high - innerHeight + 16);
    this.draw();
  }
}
