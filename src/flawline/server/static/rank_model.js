// The pictures of a ranking with their marks: which are shown, in which order; and the address that says so.

export const FIELDS = { view: "sheet", sort: "rank", first: "", q: "", label: "", mark: "", place: "", spot: "", size: "", heat: "hover", at: "" };
export const SPOTS = { small: [0, 0.01], medium: [0.01, 0.06], large: [0.06, 2] };
export const sizeOf = (picture) => (picture.size.length ? `${picture.size[0]} × ${picture.size[1]}` : "unknown");

export function placeOf(picture) {
  if (!picture.place) return "";
  const third = (share) => Math.min(2, Math.floor(share * 3));
  return String(third(picture.place[1]) * 3 + third(picture.place[0]));
}

export class Model {
  constructor(document) {
    this.pictures = document.pictures;
    this.explained = document.explained;
    this.marks = new Map(Object.entries(document.marks));
    this.near = null;
    this.state = { ...FIELDS };
  }

  read(search) {
    const given = new URLSearchParams(search);
    for (const name of Object.keys(FIELDS)) this.state[name] = given.get(name) ?? FIELDS[name];
  }

  address() {
    const given = new URLSearchParams();
    for (const [name, usual] of Object.entries(FIELDS)) if (this.state[name] !== usual) given.set(name, this.state[name]);
    const text = given.toString();
    return text ? `?${text}` : location.pathname;
  }

  mark(picture) {
    return this.marks.get(picture.image) ?? "";
  }

  // What is shown: the filters, then the order, then the first N.
  shown() {
    const { q, label, mark, place, spot, size, sort, first } = this.state;
    const words = q.toLowerCase();
    const [least, most] = SPOTS[spot] ?? [0, 2];
    let found = this.pictures.filter(
      (one) =>
        (!words || one.image.toLowerCase().includes(words)) &&
        (!label || one.label === (label === "none" ? "" : label)) &&
        (!mark || (this.mark(one) || "none") === mark) &&
        (!place || placeOf(one) === place) &&
        (!spot || (one.spot !== null && one.spot >= least && one.spot < most)) &&
        (!size || sizeOf(one) === size),
    );
    const by = {
      name: (a, b) => a.image.localeCompare(b.image, undefined, { numeric: true }),
      usual: (a, b) => b.rank - a.rank,
      mark: (a, b) => (this.mark(a) || "z").localeCompare(this.mark(b) || "z") || a.rank - b.rank,
      spot: (a, b) => (b.spot ?? -1) - (a.spot ?? -1) || a.rank - b.rank,
      like: this.near && ((a, b) => (this.near.get(a.rank) ?? 1e9) - (this.near.get(b.rank) ?? 1e9)),
    }[sort];
    if (by) found = [...found].sort(by);
    this.fitting = found.length;
    return first ? found.slice(0, Number(first)) : found;
  }

  // The height over the width of most pictures, within bounds.
  aspect() {
    const known = this.pictures.filter((one) => one.size.length).map((one) => one.size[1] / one.size[0]).sort((a, b) => a - b);
    return Math.min(1.25, Math.max(0.5, known[Math.floor(known.length / 2)] ?? 0.75));
  }

  count(value) {
    let all = 0;
    for (const mark of this.marks.values()) all += mark === value;
    return all;
  }

  // Sets marks and returns what undoes it.
  set(pictures, value) {
    const before = pictures.map((one) => [one.image, this.mark(one)]);
    for (const one of pictures) value ? this.marks.set(one.image, value) : this.marks.delete(one.image);
    return before;
  }

  restore(before) {
    for (const [image, value] of before) value ? this.marks.set(image, value) : this.marks.delete(image);
  }

  reset() {
    for (const name of ["q", "label", "mark", "place", "spot", "size", "first"]) this.state[name] = "";
  }
}
