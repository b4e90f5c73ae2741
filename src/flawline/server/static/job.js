// The progress of a job: its stages, how much is done, how long it will take. Others hear of it by the event "job".
import { call, onClick } from "/static/api.js";

const place = document.querySelector("[data-job]");
const words = (one) => one.title + (one.total ? ` ${one.done} of ${one.total}` : "");

function time(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function show(job) {
  const bar = place.querySelector("progress");
  const left = job.seconds_left ? `, about ${time(job.seconds_left)} left` : "";
  place.querySelector("[data-doing]").textContent =
    job.state === "waiting" ? "waits for the jobs before it" : (job.doing || "begins") + (job.total ? ` ${job.done} of ${job.total}${left}` : "");
  if (job.total) {
    bar.max = job.total;
    bar.value = job.done;
  } else bar.removeAttribute("value");
  const list = place.querySelector("[data-stages]");
  if (!list) return;
  const past = job.stages.slice(-14);
  while (list.children.length > past.length) list.lastChild.remove();
  past.forEach((one, number) => {
    const item = list.children[number] ?? list.appendChild(document.createElement("li"));
    const now = number === past.length - 1;
    item.toggleAttribute("data-now", now);
    const text = now ? words(one) : `${words(one)}, ${time(one.seconds)}`;
    if (item.textContent !== text) item.textContent = text;
  });
}

if (place) {
  const lost = place.querySelector("[data-lost]");
  const events = new EventSource(`/api/jobs/${place.dataset.job}/events`);
  events.onopen = () => lost && (lost.hidden = true);
  events.onerror = () => lost && (lost.hidden = false);
  events.onmessage = (event) => {
    const job = JSON.parse(event.data);
    document.dispatchEvent(new CustomEvent("job", { detail: job }));
    if (!["waiting", "running"].includes(job.state)) {
      events.close();
      location.reload();
      return;
    }
    show(job);
  };
  onClick("[data-cancel]", async (button) => {
    button.disabled = true;
    button.textContent = "Cancelling";
    await call("POST", `/api/jobs/${place.dataset.job}/cancel`);
  });
}
