// Choose what to learn from, and start the training.
import { call, onClick } from "/static/api.js";
import { uploads } from "/static/upload.js";

const form = document.querySelector("[data-train]");
const ranking = form.querySelector("[name=ranking]")?.value;
const started = (job) => { location.href = `/train/${job.id}`; };

if (ranking) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const problem = form.querySelector(".problem"), data = new FormData(form);
    const button = form.querySelector("button.main");
    problem.hidden = button.disabled = true;
    try {
      started(await call("POST", `/api/rank/${ranking}/learn`, { part: data.get("part"), unmarked: data.has("unmarked"), effort: data.get("effort") }));
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
} else {
  uploads(form, "/api/train", started);
  form.addEventListener("change", () => {
    const kind = form.querySelector("[name=kind]:checked").value;
    for (const label of form.querySelectorAll("[data-for]")) {
      label.hidden = label.dataset.for !== kind;
      for (const field of label.querySelectorAll("input,select")) field.disabled = label.hidden;
    }
  });
  for (const field of form.querySelectorAll("[data-for=masks] input")) field.disabled = true;
}
onClick("[data-remove]", async (button) => {
  await call("DELETE", `/api/jobs/${button.dataset.remove}`);
  button.closest("li").remove();
});
