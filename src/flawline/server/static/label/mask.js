// The mask of one picture: a class for each pixel, changes that can be undone, and what changes it.

const TILE = 64;
const MOST_STEPS = 200;

export class Mask {
  constructor(width, height, data = new Uint8Array(width * height)) {
    Object.assign(this, { width, height, data, undone: [], done: [], tiles: null });
    this.across = Math.ceil(width / TILE);
  }

  // A change begins; until `commit` what it touches is kept.
  begin() {
    this.tiles ??= new Map();
  }

  commit() {
    const tiles = this.tiles;
    this.tiles = null;
    if (!tiles?.size) return false;
    for (const [tile, before] of tiles) if (this.#same(tile, before)) tiles.delete(tile);
    if (!tiles.size) return false;
    this.done.push(tiles);
    if (this.done.length > MOST_STEPS) this.done.shift();
    this.undone = [];
    return true;
  }

  undo() {
    return this.#swap(this.done, this.undone);
  }

  redo() {
    return this.#swap(this.undone, this.done);
  }

  // Paints a stroke of a round brush from one point to another, in px of the picture.
  stroke(x0, y0, x1, y1, diameter, value) {
    const reach = diameter / 2;
    const box = this.#box(Math.min(x0, x1) - reach, Math.min(y0, y1) - reach, Math.max(x0, x1) + reach, Math.max(y0, y1) + reach);
    if (!box) return null;
    this.#touch(box);
    const [dx, dy] = [x1 - x0, y1 - y0];
    const along = dx * dx + dy * dy || 1;
    for (let y = box.top; y < box.bottom; y++)
      for (let x = box.left; x < box.right; x++) {
        const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
        const at = Math.min(1, Math.max(0, (px * dx + py * dy) / along));
        const [away, down] = [px - at * dx, py - at * dy];
        if (away * away + down * down <= reach * reach) this.data[y * this.width + x] = value;
      }
    // A brush thinner than a pixel still paints the one under it.
    if (diameter <= 1) this.#set(Math.floor(x1), Math.floor(y1), value);
    return box;
  }

  // Paints the pixels whose centres lie inside a polygon, by the even-odd rule.
  polygon(points, value) {
    const xs = points.map((point) => point[0]), ys = points.map((point) => point[1]);
    const box = this.#box(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys));
    if (!box) return null;
    this.#touch(box);
    for (let y = box.top; y < box.bottom; y++) {
      const crossed = [];
      points.forEach(([x0, y0], k) => {
        const [x1, y1] = points[(k + 1) % points.length];
        if (y0 <= y + 0.5 !== y1 <= y + 0.5) crossed.push(x0 + ((y + 0.5 - y0) / (y1 - y0)) * (x1 - x0));
      });
      crossed.sort((a, b) => a - b);
      for (let k = 0; k + 1 < crossed.length; k += 2)
        for (let x = Math.max(box.left, Math.ceil(crossed[k] - 0.5)); x < Math.min(box.right, Math.ceil(crossed[k + 1] - 0.5)); x++)
          this.data[y * this.width + x] = value;
    }
    return box;
  }

  // Paints a region: lengths outside and inside in turn, along the rows of a box.
  runs([left, top, width, height], runs, value) {
    const box = { left, top, right: left + width, bottom: top + height };
    this.#touch(box);
    let at = 0;
    runs.forEach((length, k) => {
      if (k % 2)
        for (let n = at; n < at + length; n++) this.data[(top + Math.floor(n / width)) * this.width + left + (n % width)] = value;
      at += length;
    });
    return box;
  }

  // Finds the pixels of one class that are connected with a pixel; `open` where they reach the border.
  connected(x, y) {
    const { width, height, data } = this;
    const from = data[y * width + x], seen = new Uint8Array(width * height), found = [];
    const stack = [y * width + x];
    let open = false;
    seen[stack[0]] = 1;
    while (stack.length) {
      const at = stack.pop(), column = at % width, row = (at - column) / width;
      found.push(at);
      if (column === 0 || row === 0 || column === width - 1 || row === height - 1) {
        open = true;
        if (from === 0) break;
      }
      const sides = [];
      if (column > 0) sides.push(at - 1);
      if (column < width - 1) sides.push(at + 1);
      if (row > 0) sides.push(at - width);
      if (row < height - 1) sides.push(at + width);
      for (const next of sides)
        if (!seen[next] && data[next] === from) {
          seen[next] = 1;
          stack.push(next);
        }
    }
    return { from, found, open };
  }

  // Gives pixels, by their places, a class.
  assign(places, value) {
    const { width } = this;
    let box = null;
    for (const at of places) {
      const x = at % width, y = (at - x) / width;
      box = joined(box, { left: x, top: y, right: x + 1, bottom: y + 1 });
    }
    if (!box) return null;
    this.#touch(box);
    for (const at of places) this.data[at] = value;
    return box;
  }

  // Takes another mask of this size, as one step that can be undone.
  replace(data) {
    const box = { left: 0, top: 0, right: this.width, bottom: this.height };
    this.begin();
    this.#touch(box);
    this.data.set(data);
    this.commit();
    return box;
  }

  #set(x, y, value) {
    if (x >= 0 && y >= 0 && x < this.width && y < this.height) this.data[y * this.width + x] = value;
  }

  #box(left, top, right, bottom) {
    const box = {
      left: Math.max(0, Math.floor(left)), top: Math.max(0, Math.floor(top)),
      right: Math.min(this.width, Math.ceil(right) + 1), bottom: Math.min(this.height, Math.ceil(bottom) + 1),
    };
    return box.left < box.right && box.top < box.bottom ? box : null;
  }

  #touch({ left, top, right, bottom }) {
    if (!this.tiles) return;
    for (let y = Math.floor(top / TILE); y <= Math.floor((bottom - 1) / TILE); y++)
      for (let x = Math.floor(left / TILE); x <= Math.floor((right - 1) / TILE); x++) {
        const tile = y * this.across + x;
        if (!this.tiles.has(tile)) this.tiles.set(tile, this.#copy(tile));
      }
  }

  #place(tile) {
    const x = (tile % this.across) * TILE, y = Math.floor(tile / this.across) * TILE;
    return { left: x, top: y, right: Math.min(x + TILE, this.width), bottom: Math.min(y + TILE, this.height) };
  }

  #copy(tile) {
    const { left, top, right, bottom } = this.#place(tile), wide = right - left;
    const kept = new Uint8Array(wide * (bottom - top));
    for (let y = top; y < bottom; y++) kept.set(this.data.subarray(y * this.width + left, y * this.width + right), (y - top) * wide);
    return kept;
  }

  #same(tile, before) {
    return this.#copy(tile).every((value, k) => value === before[k]);
  }

  #swap(from, to) {
    const tiles = from.pop();
    if (!tiles) return null;
    const other = new Map();
    let box = null;
    for (const [tile, kept] of tiles) {
      other.set(tile, this.#copy(tile));
      const place = this.#place(tile), wide = place.right - place.left;
      for (let y = place.top; y < place.bottom; y++)
        this.data.set(kept.subarray((y - place.top) * wide, (y - place.top + 1) * wide), y * this.width + place.left);
      box = joined(box, place);
    }
    to.push(other);
    return box;
  }
}

export function joined(one, other) {
  if (!one) return other;
  return {
    left: Math.min(one.left, other.left), top: Math.min(one.top, other.top),
    right: Math.max(one.right, other.right), bottom: Math.max(one.bottom, other.bottom),
  };
}
