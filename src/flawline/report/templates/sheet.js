// Cards of a report: heat as a layer with a slider, filters, order, and pictures large beside an ordinary part.
"use strict";
(() => {
  const sheets = [...document.querySelectorAll("[data-sheet]")];
  const cards = sheets.flatMap((sheet) => [...sheet.querySelectorAll(".card:not(.ordinary)")]);
  const first = document.querySelector("[data-sheet]");
  if (!first || !cards.length) return;
  const make = (name, properties, ...inside) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...inside);
    return made;
  };
  const tools = make("div", { className: "tools" });
  const place = document.querySelector("[data-tools]") || first;
  place.before(tools);

  if (document.querySelector(".layers img+img")) {
    const slider = make("input", { type: "range", min: 0, max: 100, value: 75 });
    slider.addEventListener("input", () => document.documentElement.style.setProperty("--heat", slider.value / 100));
    tools.append(make("label", {}, "Heat ", slider));
  }

  const kinds = [...new Set(cards.map((card) => card.dataset.kind).filter(Boolean))];
  let kind = "";
  const most = 12;
  const shown = new Set();
  function show() {
    for (const sheet of sheets) {
      const own = [...sheet.querySelectorAll(".card:not(.ordinary)")].filter((card) => !kind || card.dataset.kind === kind);
      sheet.querySelectorAll(".card:not(.ordinary)").forEach((card) => (card.hidden = true));
      own.forEach((card, number) => (card.hidden = number >= most && !shown.has(sheet)));
      const button = sheet.nextElementSibling?.matches(".more") ? sheet.nextElementSibling : null;
      if (button) {
        button.hidden = shown.has(sheet) || own.length <= most;
        button.textContent = `Show all ${own.length}`;
      }
    }
  }
  for (const sheet of sheets) {
    const button = make("button", { type: "button", className: "more" });
    button.addEventListener("click", () => {
      shown.add(sheet);
      show();
    });
    sheet.after(button);
  }
  if (kinds.length > 1) {
    const chips = make("fieldset", {});
    chips.setAttribute("aria-label", "Show");
    for (const name of ["", ...kinds]) {
      const button = make("button", { type: "button" }, name || "all");
      button.setAttribute("aria-pressed", String(name === kind));
      button.addEventListener("click", () => {
        kind = name;
        [...chips.children].forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
        show();
      });
      chips.append(button);
    }
    tools.append(chips);
  }
  if (cards.length > 2) {
    const order = make("select", {}, ...["as found", "name", "lowest score first"].map((text) => make("option", {}, text)));
    order.addEventListener("change", () => {
      const by = {
        "as found": (card) => Number(card.dataset.place),
        name: (card) => card.dataset.name,
        "lowest score first": (card) => Number(card.dataset.score),
      }[order.value];
      const less = (one, other) => (by(one) < by(other) ? -1 : by(one) > by(other) ? 1 : 0);
      sheets.forEach((sheet) => sheet.append(...[...sheet.querySelectorAll(".card:not(.ordinary)")].sort(less)));
      show();
    });
    cards.forEach((card, number) => (card.dataset.place = number));
    tools.append(make("label", {}, "Order ", order));
  }
  show();

  // Pictures large: wheel, + and - zoom, dragging moves, both at the same place; arrows go on to the next.
  const ordinary = document.querySelector(".card.ordinary");
  const big = make("div", { className: "big" });
  const title = make("p", { className: "name" });
  const close = make("button", { type: "button", className: "more" }, "Close");
  const dialog = make("dialog", {}, title, big, close);
  dialog.setAttribute("aria-label", "Picture");
  document.body.append(dialog);
  close.addEventListener("click", () => dialog.close());
  let at = null, scale = 1, x = 0, y = 0;
  const draw = () => big.querySelectorAll("img").forEach((image) => {
    image.style.transform = `translate(${x}px,${y}px) scale(${scale})`;
    image.style.imageRendering = scale > 3 ? "pixelated" : "auto";
  });
  function zoom(factor, left, top) {
    const next = Math.min(30, Math.max(1, scale * factor));
    x = next === 1 ? 0 : left - (left - x) * (next / scale);
    y = next === 1 ? 0 : top - (top - y) * (next / scale);
    scale = next;
    draw();
  }
  function stage(card) {
    const made = make("div", { className: "stage" });
    for (const image of card.querySelectorAll(".frames img")) made.append(image.cloneNode());
    made.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = made.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    made.addEventListener("pointerdown", (event) => made.setPointerCapture(event.pointerId));
    made.addEventListener("pointermove", (event) => {
      if (!event.buttons) return;
      x += event.movementX;
      y += event.movementY;
      draw();
    });
    const text = card === ordinary ? "an ordinary part: " : "";
    return make("div", {}, made, make("div", { className: "soft" }, text + (card.dataset.name || "")));
  }
  function open(card) {
    at = card;
    [scale, x, y] = [1, 0, 0];
    title.textContent = card.querySelector(".words")?.innerText.split("\n").slice(0, 3).join(", ") ?? "";
    big.replaceChildren(stage(card), ...(ordinary && ordinary !== card ? [stage(ordinary)] : []));
    if (!dialog.open) dialog.showModal();
  }
  document.addEventListener("click", (event) => {
    const frame = event.target.closest(".card .layers");
    if (frame) open(frame.closest(".card"));
  });
  document.querySelectorAll(".card .layers").forEach((frame) => {
    frame.tabIndex = 0;
    frame.setAttribute("role", "button");
    frame.setAttribute("aria-label", `Show ${frame.closest(".card").dataset.name ?? ""} large`);
    frame.addEventListener("keydown", (event) => event.key === "Enter" && open(frame.closest(".card")));
  });
  dialog.addEventListener("keydown", (event) => {
    const all = cards.filter((card) => !card.hidden);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      const next = all[all.indexOf(at) + step];
      if (next) open(next);
    }
    const middle = big.querySelector(".stage");
    if (["+", "=", "-"].includes(event.key)) zoom(event.key === "-" ? 0.8 : 1.25, middle.clientWidth / 2, middle.clientHeight / 2);
  });
})();
