// A specification as a form and as text: each follows the other, errors stand at their field, and the records show what changes.
import { call } from "/static/api.js";
import { element } from "/static/elements.js";
import { WhatIf } from "/static/what_if.js";

const root = document.querySelector("[data-spec]");
const product = root.dataset.spec, recipe = root.dataset.recipe, may = root.dataset.may === "yes";
const base = `/api/recipes/${encodeURIComponent(product)}`;
const part = (name) => root.querySelector(`[data-${name}]`);
const area = part("text"), saved = area.value;
const whatIf = new WhatIf(part("what-if"), product, recipe);
const FIELDS = [["limit", "what", "limit-names"], ["class", "of class", "class-names"], ["min", "at least", ""], ["max", "at most", ""], ["review", "review beyond", ""], ["where", "where", ""], ["zone", "in zone", ""]];
let table = {}, asked = 0, timer = 0;

// A number stays a number, so that the text is as a person would write it.
const plain = (text) => (/^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text.trim());

async function check() {
  const number = (asked += 1), text = area.value;
  let found;
  try {
    found = await call("POST", `${base}/spec/check`, { text });
  } catch (error) {
    return problem(error.message);
  }
  if (number !== asked) return;
  if (found.ok || found.table.limits) {
    table = found.table;
    draw();
  }
  part("problem").hidden = found.ok;
  const fields = part("rows").querySelectorAll("input");
  fields.forEach((field) => { field.removeAttribute("aria-invalid"); field.removeAttribute("aria-describedby"); });
  part("rows").querySelectorAll(".row-problem").forEach((one) => one.remove());
  if (!found.ok) atField(found.problem);
  else part("rows").querySelectorAll(".clause").forEach((row, k) => { row.querySelector(".says").textContent = found.clauses[k]?.text ?? ""; });
  part("change").hidden = !may || area.value === saved || !found.ok;
  whatIf.ask(found.ok && area.value !== saved ? { spec: text } : null);
}

function problem(text) {
  part("problem").textContent = text;
  part("problem").hidden = false;
}

function atField({ message, hint, line, clause, field }) {
  problem(hint ? `${message} — ${hint}` : message);
  const row = clause === null ? null : part("rows").children[clause];
  if (row) {
    const input = row.querySelector(`[data-key="${field ?? "limit"}"]`) ?? row.querySelector("input");
    const words = element("p", { class: "problem row-problem", id: `problem-${clause}` }, hint ? `${message.replace(/^line \d+: /, "")} — ${hint}` : message);
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", words.id);
    row.append(words);
  }
  if (line && document.activeElement !== area) {
    const lines = area.value.split("\n");
    const from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    area.setSelectionRange(from, from + (lines[line - 1] ?? "").length);
  }
}

function draw() {
  const rows = part("rows"), limits = Array.isArray(table.limits) ? table.limits : [];
  // A row that is being typed in stays as it is.
  if (rows.contains(document.activeElement) && rows.children.length === limits.length) return;
  rows.replaceChildren(...limits.map((limit, number) => clause(limit, number)));
  if (!limits.length) rows.append(element("p", { class: "soft" }, "No clause yet. A clause is a limit on what is measured, such as area at most 0.2 mm2."));
  part("editing").hidden = !may;
}

function clause(limit, number) {
  const inputs = FIELDS.map(([key, words, list]) => {
    const input = element("input", { "data-key": key, value: limit[key] ?? "", autocomplete: "off", maxlength: "200", ...(list ? { list } : {}), ...(may ? {} : { readonly: "" }) });
    input.addEventListener("input", () => {
      // The table is read anew after each check.
      const limit = table.limits[number];
      if (input.value.trim()) limit[key] = ["limit", "class", "zone", "where"].includes(key) ? input.value.trim() : plain(input.value);
      else delete limit[key];
      write();
    });
    return element("label", { class: `field-${key}` }, [words, input]);
  });
  const remove = element("button", { type: "button", "aria-label": `Remove clause ${number + 1}` }, "Remove");
  remove.addEventListener("click", () => {
    table.limits.splice(number, 1);
    document.activeElement?.blur();
    write();
  });
  return element("div", { class: "clause" }, [element("p", { class: "says soft" }), element("div", { class: "row" }, inputs), ...(may ? [remove] : [])]);
}

function write() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    try {
      const whole = table.limits?.length ? table : {};
      area.value = (await call("POST", `${base}/spec/text`, { table: whole })).text;
      await check();
    } catch (error) {
      problem(error.message);
    }
  }, 200);
}

part("add").addEventListener("click", () => {
  table.limits = [...(Array.isArray(table.limits) ? table.limits : []), { limit: "area", max: "100 px2" }];
  write();
});
area.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(check, 250);
});
part("back").addEventListener("click", () => {
  area.value = saved;
  document.activeElement?.blur();
  check();
});
part("save").addEventListener("click", async (event) => {
  event.target.disabled = true;
  try {
    const made = await call("POST", `${base}/versions`, { recipe, spec: area.value });
    location.href = `/recipes/${encodeURIComponent(product)}?undo=${made.before}`;
  } catch (error) {
    problem(error.message);
    event.target.disabled = false;
  }
});
await check();
root.dataset.ready = "yes";
