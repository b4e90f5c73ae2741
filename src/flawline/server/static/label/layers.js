// What is drawn over the picture: the mask in the colours of its classes, differences, outlines.
import { svg } from "/static/elements.js";

export function colourTable(colours) {
  const table = new Uint32Array(256);
  for (let number = 1; number < 256; number++) {
    const colour = colours[(number - 1) % colours.length];
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    table[number] = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  }
  return table;
}

export class MaskLayer {
  constructor(canvas, table) {
    Object.assign(this, { canvas, table, context: canvas.getContext("2d") });
  }

  size(width, height) {
    this.canvas.width = width;
    this.canvas.height = height;
  }

  // Draws the part of a mask that changed.
  draw(mask, box = { left: 0, top: 0, right: mask.width, bottom: mask.height }) {
    if (!box) return;
    const wide = box.right - box.left, high = box.bottom - box.top;
    const pixels = new ImageData(wide, high), words = new Uint32Array(pixels.data.buffer);
    for (let y = 0; y < high; y++) {
      const from = (box.top + y) * mask.width + box.left;
      for (let x = 0; x < wide; x++) words[y * wide + x] = this.table[mask.data[from + x]];
    }
    this.context.putImageData(pixels, box.left, box.top);
  }
}

// One value for each kind of difference: 1 the first alone, 2 the second alone, 3 both, 4 both with another class.
export function differences(one, other) {
  const found = new Uint8Array(one.length);
  for (let k = 0; k < found.length; k++)
    found[k] = !one[k] && !other[k] ? 0 : !other[k] ? 1 : !one[k] ? 2 : one[k] === other[k] ? 3 : 4;
  return found;
}

export const DIFFERENCE_COLOURS = ["#56B4E9", "#D55E00", "#BBBBBB", "#F0E442"];

export function outline(lines, kind) {
  const path = lines.map((flat) => {
    let text = "";
    for (let k = 0; k < flat.length; k += 2) text += `${k ? "L" : "M"}${flat[k]} ${flat[k + 1]}`;
    return `${text}Z`;
  }).join("");
  // A dark line below keeps a dashed one visible on any ground.
  return svg("g", { class: kind }, [svg("path", { d: path, class: "below" }), svg("path", { d: path, class: "above" })]);
}

// The edges of pixels of a region: `inside(x, y)` within its box.
export function edges([left, top, width, height], inside) {
  let text = "";
  for (let y = 0; y <= height; y++)
    for (let x = 0, from = -1; x <= width; x++) {
      const edge = x < width && inside(x, y) !== inside(x, y - 1);
      if (edge && from < 0) from = x;
      if (!edge && from >= 0) [text, from] = [`${text}M${left + from} ${top + y}H${left + x}`, -1];
    }
  for (let x = 0; x <= width; x++)
    for (let y = 0, from = -1; y <= height; y++) {
      const edge = y < height && inside(x, y) !== inside(x - 1, y);
      if (edge && from < 0) from = y;
      if (!edge && from >= 0) [text, from] = [`${text}M${left + x} ${top + from}V${top + y}`, -1];
    }
  return svg("g", { class: "chosen" }, [svg("path", { d: text, class: "below" }), svg("path", { d: text, class: "above" })]);
}
