// The connected regions of a mask, by runs along its rows: one pass, also over 20 million pixels.

// The rows that have a pixel, looked for four pixels at a time: most of a mask is empty.
function filled({ width, height, data }) {
  const rows = new Uint8Array(height);
  if (data.byteOffset % 4) return rows.fill(1);
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length >> 2);
  for (let k = 0; k < words.length; k++) {
    if (!words[k]) continue;
    const last = Math.floor((4 * k + 3) / width);
    rows.fill(1, Math.floor((4 * k) / width), last + 1);
    // The rest of this row needs no look.
    k = Math.max(k, ((last + 1) * width >> 2) - 1);
  }
  // What is left over after the last four.
  rows.fill(1, Math.floor((4 * words.length) / width));
  return rows;
}

export function regionsOf({ width, height, data }) {
  const some = filled({ width, height, data });
  const parents = [], starts = [], ends = [], rows = [], values = [];
  const root = (k) => {
    while (parents[k] !== k) k = parents[k] = parents[parents[k]];
    return k;
  };
  let above = 0, here = 0;
  for (let y = 0; y < height; y++) {
    const first = starts.length;
    for (let x = some[y] ? 0 : width, at = y * width; x < width; ) {
      if (!data[at + x]) { x++; continue; }
      const from = x, value = data[at + x];
      while (x < width && data[at + x] === value) x++;
      parents.push(starts.length);
      starts.push(from);
      ends.push(x);
      rows.push(y);
      values.push(value);
    }
    // Runs of the row above that touch, by a corner too.
    let k = above;
    for (let run = first; run < starts.length; run++) {
      while (k < here && ends[k] < starts[run]) k++;
      for (let other = k; other < here && starts[other] <= ends[run]; other++)
        if (values[other] === values[run]) parents[root(run)] = root(other);
    }
    [above, here] = [first, starts.length];
  }
  return gathered(parents.map((_, k) => root(k)), starts, ends, rows, values);
}

function gathered(roots, starts, ends, rows, values) {
  const found = new Map();
  roots.forEach((key, run) => {
    let one = found.get(key);
    if (!one) found.set(key, (one = { value: values[run], area: 0, left: Infinity, top: rows[run], right: 0, bottom: 0, runs: [] }));
    one.area += ends[run] - starts[run];
    one.left = Math.min(one.left, starts[run]);
    one.right = Math.max(one.right, ends[run]);
    one.bottom = rows[run] + 1;
    one.runs.push([rows[run], starts[run], ends[run]]);
  });
  const regions = [...found.values()];
  for (const one of regions) one.box = [one.left, one.top, one.right - one.left, one.bottom - one.top];
  return regions.sort((a, b) => b.area - a.area || a.top - b.top || a.left - b.left);
}

// Whether a region is the one at a place of its picture.
export const holds = (region, x, y) => region.runs.some(([row, from, upto]) => row === y && from <= x && x < upto);

export function placesOf(region, width) {
  const found = [];
  for (const [row, from, upto] of region.runs) for (let x = from; x < upto; x++) found.push(row * width + x);
  return found;
}
