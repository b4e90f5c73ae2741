// A training as it goes: curves of each epoch, what the network marks by then; and what to do with the recipe.
import { call, onClick } from "/static/api.js";
import { svg } from "/static/elements.js";

const live = document.querySelector("[data-live]");
const WIDE = 420, HIGH = 200, LEFT = 40, BELOW = 24;

function curve(name, series, most) {
  const root = live.querySelector(`[data-curve=${name}]`);
  const count = Math.max(2, ...series.map((one) => one.values.length));
  const x = (k) => LEFT + (k / (count - 1)) * (WIDE - LEFT - 90), y = (value) => 10 + (1 - value / most) * (HIGH - BELOW - 10);
  const drawn = [0, most / 2, most].flatMap((value) => [
    svg("line", { x1: LEFT, x2: WIDE - 90, y1: y(value), y2: y(value), class: "grid" }),
    svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, value.toPrecision(2)),
  ]);
  drawn.push(svg("text", { x: LEFT, y: HIGH - 6 }, "1"), svg("text", { x: x(count - 1), y: HIGH - 6, "text-anchor": "end" }, `epoch ${count}`));
  series.forEach((one, number) => {
    const points = one.values.map((value, k) => (value === null ? null : `${x(k)},${y(value)}`)).filter(Boolean);
    if (!points.length) return;
    drawn.push(svg("polyline", { points: points.join(" "), class: `series-${number % 6}` }));
    const [, last] = points[points.length - 1].split(",");
    drawn.push(svg("text", { x: WIDE - 84, y: Number(last) + 4, class: `series-${number % 6}` }, one.name.slice(0, 14)));
  });
  root.replaceChildren(...drawn);
}

function show(job) {
  const epochs = job?.epochs ?? [];
  if (!epochs.length) return;
  live.hidden = false;
  const losses = [
    { name: "training", values: epochs.map((one) => one.losses.total ?? null) },
    { name: "validation", values: epochs.map((one) => one.validation_loss) },
  ];
  curve("loss", losses, Math.max(1e-6, ...losses.flatMap((one) => one.values.filter((value) => value !== null))));
  const names = Object.keys(epochs[0].iou).filter((name) => name !== "background");
  curve("iou", names.map((name) => ({ name, values: epochs.map((one) => one.iou[name] ?? null) })), 1);
  const last = epochs[epochs.length - 1];
  const mean = last.mean_iou === null ? "" : `, mean IoU ${(100 * last.mean_iou).toFixed(1)} %${last.best ? ", the best so far" : ""}`;
  live.querySelector("[data-live-words]").textContent = `Epoch ${last.epoch}: loss ${(last.losses.total ?? 0).toFixed(3)}${mean}.`;
  if (job.example) {
    const figure = live.querySelector("[data-examples]"), image = figure.querySelector("img");
    const address = `/api/train/${location.pathname.split("/").pop()}/examples/${job.example}`;
    if (!image.src.endsWith(address)) image.src = address;
    figure.hidden = false;
  }
}

const kept = document.querySelector("[data-epochs]");
if (kept) show(JSON.parse(kept.textContent));
document.addEventListener("job", (event) => show(event.detail.live));

onClick("[data-activate-training]", async (button) => {
  const made = await call("POST", `/api/train/${button.dataset.activateTraining}/activate`, { product: "" });
  location.href = `/recipes/${encodeURIComponent(made.product)}${made.before ? `?undo=${made.before}` : ""}`;
});
onClick("[data-again]", async (button) => {
  location.href = `/train/${(await call("POST", `/api/train/${button.dataset.again}/again`)).id}`;
});
