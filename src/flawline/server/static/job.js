// The progress of a job: what it does, how much is done, how long it will take.
import { call, onClick } from "/static/api.js";

const place = document.querySelector("[data-job]");
if (place) {
  const events = new EventSource(`/api/jobs/${place.dataset.job}/events`);
  const bar = place.querySelector("progress");
  events.onmessage = (event) => {
    const job = JSON.parse(event.data);
    if (!["waiting", "running"].includes(job.state)) {
      events.close();
      location.reload();
      return;
    }
    const left = job.seconds_left ? `, ${Math.ceil(job.seconds_left)} s left` : "";
    const done = job.total ? ` ${job.done} of ${job.total}${left}` : "";
    place.querySelector("[data-doing]").textContent = (job.doing || "waiting") + done;
    if (job.total) {
      bar.max = job.total;
      bar.value = job.done;
    } else bar.removeAttribute("value");
  };
  onClick("[data-cancel]", () => call("POST", `/api/jobs/${place.dataset.job}/cancel`));
}
