// The sets of pictures to label: new ones, and putting one away with a way back.
import { call, onClick } from "/static/api.js";
import { element } from "/static/elements.js";
import { uploads } from "/static/upload.js";

uploads(document.querySelector("[data-new]"), "/api/labels", (made) => { location.href = `/label/${made.id}`; });

onClick("[data-remove]", async (button) => {
  const row = button.closest("li");
  await call("DELETE", `/api/labels/${button.dataset.remove}`);
  const back = element("button", { type: "button", "data-restore": button.dataset.remove }, "Bring it back");
  row.replaceChildren(`${row.querySelector("strong").textContent} was removed. `, back);
  back.focus();
});
onClick("[data-restore]", async (button) => {
  await call("POST", `/api/labels/${button.dataset.restore}/restore`);
  location.reload();
});
