// A picture with heat and outlines as layers: wheel, pinch or + and - zoom, dragging or arrows move, h shows or hides heat.

export function enhance(figure) {
  if (figure.dataset.ready) return;
  figure.dataset.ready = "yes";
  const stage = figure.querySelector(".stage");
  const picture = stage.querySelector(".picture");
  const heat = stage.querySelector(".heat");
  const outlines = stage.querySelector(".outlines");
  const slider = figure.querySelector("[data-heat]");
  const shown = figure.querySelector("[data-zoom]");
  let scale = 1, x = 0, y = 0, fitted = true;

  const size = () => [picture.naturalWidth || 1, picture.naturalHeight || 1];
  function draw() {
    const [width, height] = size();
    for (const layer of [picture, heat, outlines]) {
      if (!layer) continue;
      layer.style.width = `${width}px`;
      layer.style.height = `${height}px`;
      layer.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    }
    picture.style.imageRendering = scale > 3 ? "pixelated" : "auto";
    shown.textContent = `${Math.round(100 * scale)} %`;
  }
  function fit() {
    const [width, height] = size();
    scale = Math.min(stage.clientWidth / width, stage.clientHeight / height);
    x = (stage.clientWidth - width * scale) / 2;
    y = (stage.clientHeight - height * scale) / 2;
    fitted = true;
    draw();
  }
  function zoom(factor, left = stage.clientWidth / 2, top = stage.clientHeight / 2) {
    const next = Math.min(40, Math.max(0.02, scale * factor));
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
  figure.querySelector("[data-fit]").addEventListener("click", fit);
  slider?.addEventListener("input", () => (heat.style.opacity = slider.value / 100));
  figure.querySelector("[data-outlines]").addEventListener("change", (event) => {
    if (outlines) outlines.style.display = event.target.checked ? "" : "none";
  });
  figure.addEventListener("keydown", (event) => {
    if (event.target.matches("input")) return;
    const keys = {
      "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: fit,
      ArrowLeft: () => move(40, 0), ArrowRight: () => move(-40, 0), ArrowUp: () => move(0, 40), ArrowDown: () => move(0, -40),
      h: () => heat && (heat.style.opacity = heat.style.opacity === "0" ? (slider.value / 100) : "0"),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  picture.complete && picture.naturalWidth ? fit() : picture.addEventListener("load", fit);
  new ResizeObserver(() => fitted && fit()).observe(stage);
}

export const enhanceAll = (root = document) => root.querySelectorAll("[data-viewer]").forEach(enhance);
enhanceAll();
