// Choose two versions, and compare them on pictures.
import { uploads } from "/static/upload.js";

uploads(document.querySelector("[data-compare]"), "/api/compare", (job) => { location.href = `/compare/${job.id}`; });
const pick = document.querySelector("[data-pick]");
pick.addEventListener("change", () => {
  if ([...pick.querySelectorAll("select")].every((one) => one.value)) pick.requestSubmit();
});
