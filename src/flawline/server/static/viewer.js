// A picture with heat and outlines as layers: wheel, pinch or + and - zoom, dragging or arrows move, h shows or hides heat.
// Large pictures come small first; where one looks closer, tiles of what is on the screen are fetched.
const SIDE = 512;

export function enhance(figure) {
  if (figure.dataset.ready) return;
  figure.dataset.ready = "yes";
  const stage = figure.querySelector(".stage");
  const picture = stage.querySelector(".picture");
  const heat = stage.querySelector(".heat");
  const outlines = stage.querySelector(".outlines");
  const tiles = stage.querySelector(".tiles");
  const slider = figure.querySelector("[data-heat]");
  const shown = figure.querySelector("[data-zoom]");
  const cut = new Map();
  let scale = 1, x = 0, y = 0, fitted = true, waiting = null;

  const size = () => [Number(figure.dataset.width) || picture.naturalWidth || 1, Number(figure.dataset.height) || picture.naturalHeight || 1];
  // What is in the middle, as parts of the picture, and how much larger than fitted: the same for pictures of other sizes.
  function view() {
    const [width, height] = size();
    return { left: (stage.clientWidth / 2 - x) / (width * scale), top: (stage.clientHeight / 2 - y) / (height * scale), zoom: scale / fitting() };
  }
  const fitting = () => Math.min(stage.clientWidth / size()[0], stage.clientHeight / size()[1]);
  function show({ left, top, zoom }) {
    const [width, height] = size();
    scale = fitting() * zoom;
    x = stage.clientWidth / 2 - left * width * scale;
    y = stage.clientHeight / 2 - top * height * scale;
    fitted = false;
    draw(false);
  }
  function draw(say = true) {
    const [width, height] = size();
    for (const layer of [picture, heat, outlines, tiles]) {
      if (!layer) continue;
      layer.style.width = `${width}px`;
      layer.style.height = `${height}px`;
      layer.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    }
    outlines?.style.setProperty("--scale", scale);
    picture.style.imageRendering = scale > 3 ? "pixelated" : "auto";
    if (shown) shown.textContent = `${Math.round(100 * scale)} %`;
    if (tiles) {
      clearTimeout(waiting);
      waiting = setTimeout(fetchTiles, 60);
    }
    if (say) figure.dispatchEvent(new CustomEvent("look", { bubbles: true, detail: view() }));
  }
  function fetchTiles() {
    const [width, height] = size();
    const dense = scale * devicePixelRatio;
    const wanted = new Map();
    if (dense > picture.naturalWidth / width) {
      const level = Math.max(0, Math.min(8, Math.floor(Math.log2(1 / dense))));
      const step = SIDE * 2 ** level;
      const [left, top] = [Math.max(0, -x / scale), Math.max(0, -y / scale)];
      const [right, bottom] = [Math.min(width, (stage.clientWidth - x) / scale), Math.min(height, (stage.clientHeight - y) / scale)];
      for (let row = Math.floor(top / step); row * step < bottom; row++)
        for (let column = Math.floor(left / step); column * step < right; column++) wanted.set(`${level}/${column}/${row}`, [column * step, row * step, step]);
    }
    for (const [name, image] of cut)
      if (!wanted.has(name)) {
        image.remove();
        cut.delete(name);
      }
    for (const [name, [left, top, step]] of wanted) {
      if (cut.has(name)) continue;
      const image = new Image();
      image.alt = "";
      Object.assign(image.style, { left: `${left}px`, top: `${top}px`, width: `${Math.min(step, width - left)}px`, height: `${Math.min(step, height - top)}px` });
      image.src = `${figure.dataset.tiles}/${name}`;
      cut.set(name, image);
      tiles.append(image);
    }
  }
  function fit() {
    const [width, height] = size();
    scale = fitting();
    x = (stage.clientWidth - width * scale) / 2;
    y = (stage.clientHeight - height * scale) / 2;
    fitted = true;
    draw();
  }
  function zoom(factor, left = stage.clientWidth / 2, top = stage.clientHeight / 2) {
    const next = Math.min(40, Math.max(fitting() / 4, scale * factor));
    x = left - (left - x) * (next / scale);
    y = top - (top - y) * (next / scale);
    scale = next;
    fitted = false;
    draw();
  }
  function move(right, down) {
    x += right;
    y += down;
    fitted = false;
    draw();
  }

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = stage.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  const down = new Map();
  let spread = 0;
  stage.addEventListener("pointerdown", (event) => {
    down.set(event.pointerId, event);
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    down.set(event.pointerId, event);
    if (down.size === 1) return move(event.clientX - before.clientX, event.clientY - before.clientY);
    const [one, other] = down.values();
    const now = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const box = stage.getBoundingClientRect();
    if (spread) zoom(now / spread, (one.clientX + other.clientX) / 2 - box.left, (one.clientY + other.clientY) / 2 - box.top);
    spread = now;
  });
  for (const name of ["pointerup", "pointercancel"])
    stage.addEventListener(name, (event) => {
      down.delete(event.pointerId);
      spread = 0;
    });
  stage.addEventListener("dblclick", () => (fitted ? zoom(1 / scale) : fit()));
  figure.querySelector("[data-fit]")?.addEventListener("click", fit);
  slider?.addEventListener("input", () => (heat.style.opacity = slider.value / 100));
  figure.querySelector("[data-outlines]")?.addEventListener("change", (event) => {
    if (outlines) outlines.style.display = event.target.checked ? "" : "none";
  });
  figure.addEventListener("keydown", (event) => {
    if (event.target.matches("input")) return;
    const keys = {
      "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: fit,
      ArrowLeft: () => move(40, 0), ArrowRight: () => move(-40, 0), ArrowUp: () => move(0, 40), ArrowDown: () => move(0, -40),
      h: () => heat && (heat.style.opacity = heat.style.opacity === "0" ? (slider ? slider.value / 100 : 0.55) : "0"),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  figure.viewer = { show, fit, view, linked: null };
  figure.addEventListener("look", (event) => figure.viewer.linked?.viewer?.show(event.detail));
  if (figure.dataset.width || (picture.complete && picture.naturalWidth)) fit();
  picture.addEventListener("load", () => fitted && fit());
  new ResizeObserver(() => fitted && fit()).observe(stage);
}

// Make the picture of a record, as the API gives it; `enhanceAll` brings it to life.
export function viewerOf(record, label) {
  const figure = document.createElement("figure");
  figure.className = "viewer";
  figure.dataset.viewer = "";
  figure.tabIndex = 0;
  figure.setAttribute("role", "group");
  figure.setAttribute("aria-label", label);
  const stage = document.createElement("div");
  stage.className = "stage";
  const picture = new Image();
  picture.className = "picture";
  picture.alt = label;
  let large = false;
  if (record.size) {
    [figure.dataset.height, figure.dataset.width] = record.size;
    large = Math.max(...record.size) > 2048;
  }
  picture.src = `/api/records/${record.id}/picture${large ? "?side=1600" : ""}`;
  stage.append(picture);
  if (large) {
    figure.dataset.tiles = `/api/records/${record.id}/tiles`;
    const tiles = document.createElement("div");
    tiles.className = "tiles";
    stage.append(tiles);
  }
  const caption = document.createElement("figcaption");
  caption.className = "tools";
  const door = document.createElement("a");
  door.href = `/records/${record.id}`;
  door.textContent = label;
  caption.append(door);
  figure.append(stage, caption);
  return figure;
}

// Two pictures move and zoom together.
export function link(one, other) {
  one.viewer.linked = other;
  other.viewer.linked = one;
  other.viewer.show(one.viewer.view());
}

export const enhanceAll = (root = document) => root.querySelectorAll("[data-viewer]").forEach(enhance);
enhanceAll();

// The address names what a single picture shows, so that a link shows another person the same.
const alone = document.querySelectorAll("[data-viewer]");
if (alone.length === 1 && document.querySelector("[data-view-in-address]")) {
  const [left, top, zoom] = location.hash.replace("#view=", "").split(",").map(Number);
  if (zoom > 0 && Number.isFinite(left) && Number.isFinite(top)) alone[0].viewer.show({ left, top, zoom });
  let later = null;
  alone[0].addEventListener("look", (event) => {
    clearTimeout(later);
    const now = event.detail;
    const same = Math.abs(now.zoom - 1) < 0.001;
    later = setTimeout(() => history.replaceState(null, "", same ? location.pathname + location.search : `#view=${[now.left, now.top, now.zoom].map((n) => n.toFixed(3)).join(",")}`), 200);
  });
}
