// The line: new parts appear by themselves; w shows the wall.
import { call, onClick, onSubmit } from "/static/api.js";

let latest = document.querySelector("[data-line]")?.dataset.latest ?? "";
const events = new EventSource("/api/line/events");
events.onmessage = (event) => {
  const now = JSON.parse(event.data);
  document.querySelector("[data-sentence]").textContent = now.sentence;
  const first = now.records[0];
  if (first && String(first.id) !== latest) {
    latest = String(first.id);
    refresh();
  }
};

async function refresh() {
  const answer = await fetch("/", { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.querySelector("main").replaceWith(page.querySelector("main"));
  const { enhanceAll } = await import("/static/viewer.js");
  enhanceAll();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "w" && !event.target.matches("input")) document.documentElement.classList.toggle("wall");
});

onClick("[data-acknowledge]", async (button) => {
  await call("POST", "/api/alerts/acknowledgements", { key: button.dataset.acknowledge });
  button.closest("li").remove();
});

onSubmit(document.querySelector("[data-judge]"), async (data) => {
  if (!data.get("lot")) data.delete("lot");
  await call("POST", "/api/inspect/many", data);
});
