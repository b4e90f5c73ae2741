// Drop pictures or choose them, and go to their ranking.
import { call, onClick } from "/static/api.js";
import { uploads } from "/static/upload.js";

uploads(document.querySelector("[data-rank]"), "/api/rank", (job) => { location.href = `/rank/${job.id}`; }, { whenDropped: true });
onClick("[data-remove]", async (button) => {
  await call("DELETE", `/api/jobs/${button.dataset.remove}`);
  button.closest("li").remove();
});
