// The tools above a contact sheet: how it is looked at, sorted and filtered.
import { element } from "/static/elements.js";
import { placeOf, sizeOf } from "/static/rank_model.js";

const PLACES = ["top left", "top", "top right", "left", "middle", "right", "bottom left", "bottom", "bottom right"];

function choice(name, words, options) {
  const select = element("select", { "data-field": name }, options.map(([value, text]) => element("option", { value }, text)));
  return element("label", {}, [`${words} `, select]);
}

export function drawTools(root, model, change) {
  const labels = [...new Set(model.pictures.map((one) => one.label))].sort();
  const sizes = [...new Set(model.pictures.map(sizeOf))].sort();
  const most = model.pictures.length;
  const slider = element("input", { type: "range", min: "1", max: String(most), value: String(most), "data-field": "first", "aria-label": "Show the first" });
  const filters = [
    choice("sort", "Sort", [["rank", "most anomalous"], ["usual", "most usual"], ["name", "name"], ["mark", "mark"], ["spot", "size of the spot"], ["like", "like the chosen one"]]),
    choice("mark", "Mark", [["", "any"], ["none", "no mark"], ["good", "good"], ["bad", "bad"]]),
    labels.length > 1 && choice("label", "Label", [["", "any"], ...labels.map((name) => [name || "none", name || "no label"])]),
    choice("place", "Spot at", [["", "any place"], ...PLACES.map((name, k) => [String(k), name])]),
    choice("spot", "Spot", [["", "any size"], ["small", "small, below 1 %"], ["medium", "1 to 6 %"], ["large", "large"]]),
    sizes.length > 1 && choice("size", "Picture", [["", "any size"], ...sizes.map((name) => [name, name])]),
    choice("heat", "Heat", [["hover", "on hover"], ["always", "always"], ["off", "off"]]),
    element("label", {}, ["Name ", element("input", { type: "search", "data-field": "q", autocomplete: "off", maxlength: "100" })]),
  ].filter(Boolean);
  // Folded on a phone, where they would fill the screen.
  const folded = element("details", {}, [element("summary", {}, "Sort and filter"), element("div", { class: "rank-filters" }, filters)]);
  folded.open = matchMedia("(min-width: 761px)").matches;
  root.replaceChildren(
    element("div", { class: "segments", role: "group", "aria-label": "View" }, [["sheet", "Sheet"], ["map", "Map"]].map(([value, text]) => element("button", { type: "button", "data-view": value }, text))),
    element("label", { class: "rank-first" }, ["Show the first ", slider, element("output", { "data-shown": "" })]),
    element("button", { type: "button", "data-others": "" }, "Mark the rest good"),
    element("button", { type: "button", "data-undo": "", disabled: "" }, [element("kbd", {}, "u"), " Undo"]),
    folded,
  );
  root.hidden = false;
  root.addEventListener("input", (event) => {
    const field = event.target.dataset.field;
    if (!field) return;
    const all = field === "first" && event.target.valueAsNumber >= most;
    change(field, all ? "" : event.target.value);
  });
  const counts = new Array(9).fill(0);
  for (const one of model.pictures) if (one.place) counts[Number(placeOf(one))] += 1;
  root.querySelectorAll("[data-field=place] option").forEach((option) => {
    if (option.value) option.textContent = `${PLACES[Number(option.value)]} (${counts[Number(option.value)]})`;
  });
}

// Lets the fields show what the state says.
export function showState(root, model, shown) {
  for (const field of root.querySelectorAll("[data-field]")) {
    const value = model.state[field.dataset.field];
    field.value = field.dataset.field === "first" ? value || field.max : value;
  }
  root.querySelector("[data-shown]").textContent = `${shown} of ${model.fitting}`;
  root.querySelectorAll("[data-view]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.view === model.state.view)));
}
