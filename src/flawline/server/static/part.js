// One part: the report is printed, and each recipe is asked what it says of the picture.
import { call, onClick } from "/static/api.js";

onClick("[data-print]", () => print());

onClick("[data-ask]", async (button) => {
  const root = button.closest("[data-replay]");
  const problem = root.querySelector(".problem");
  const rows = [...root.querySelectorAll("[data-recipe]")];
  button.disabled = true;
  problem.hidden = true;
  for (const [place, row] of rows.entries()) {
    button.textContent = `Asking ${place + 1} of ${rows.length}`;
    try {
      const found = await call("POST", `/api/records/${root.dataset.replay}/replay`, { recipe: row.dataset.recipe });
      const mark = document.createElement("span");
      mark.className = `verdict ${found.verdict}`;
      mark.textContent = found.verdict;
      row.querySelector("[data-verdict]").replaceChildren(mark);
      row.querySelector("[data-score]").textContent = Number(found.score.toPrecision(5));
      row.querySelector("[data-defects]").textContent = found.defects;
      row.querySelector("[data-difference]").textContent = found.same ? "the same" : found.differences.join("; ");
    } catch (error) {
      row.querySelector("[data-difference]").textContent = error.message;
    }
  }
  button.textContent = "Ask again";
  button.disabled = false;
});
