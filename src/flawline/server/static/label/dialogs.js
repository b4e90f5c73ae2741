// The dialogues: classes, audit, training, keys.
import { call, notice, onClick, onSubmit } from "/static/api.js";
import { find } from "/static/label/place.js";

export function bindDialogs(app) {
  onClick("[data-dialog]", (button) => document.querySelector(`dialog[data-${button.dataset.dialog}-dialog]`).showModal());
  onClick("[data-shut]", (button) => button.closest("dialog").close());

  onClick("[data-refresh]", async () => {
    const before = app.queue.total;
    await call("POST", `/api/labels/${app.set}/refresh`);
    await app.count();
    const { total } = await app.queue.load(app.queue.name, app.key ?? "");
    notice(total > before ? `${total - before} more in this queue.` : "No new picture in this queue.");
    if (!app.key && total) app.go(1);
  });

  onSubmit(document.querySelector("[data-class-form]"), async (data) => {
    const names = data.get("classes").split("\n").map((name) => name.trim()).filter(Boolean);
    app.classes = (await call("PATCH", `/api/labels/${app.set}`, { classes: names })).classes;
    app.classList.draw();
    app.regions.draw();
    document.querySelector("dialog[data-classes-dialog]").close();
  });
  onSubmit(document.querySelector("[data-train-form]"), async (data) => {
    const job = await call("POST", `/api/labels/${app.set}/train`, { part: data.get("part"), minutes: Number(data.get("minutes")) });
    location.href = `/train/${job.id}`;
  });
  onSubmit(document.querySelector("[data-audit-form]"), async (data, event) => {
    if (event.submitter?.value === "send") {
      const body = new FormData();
      body.append("file", data.get("file"));
      await call("PUT", `/api/labels/${app.set}/suspects`, body);
      await app.count();
      document.querySelector("dialog[data-audit-dialog]").close();
      find("queue").value = "suspects";
      find("queue").dispatchEvent(new Event("change"));
      return;
    }
    const job = await call("POST", `/api/labels/${app.set}/audit`, { minutes: Number(data.get("minutes")) });
    document.querySelector("dialog[data-audit-dialog]").close();
    follow(job);
  });

  // An audit goes on while people draw; its progress stands beside the queue.
  function follow(job) {
    const events = new EventSource(`/api/jobs/${job.id}/events`);
    const place = find("auditing");
    place.hidden = false;
    events.onmessage = async (event) => {
      const now = JSON.parse(event.data);
      place.textContent = `Audit: ${now.doing || "waiting"}${now.total ? `, ${now.done} of ${now.total}` : ""}`;
      if (["waiting", "running"].includes(now.state)) return;
      events.close();
      place.textContent = now.error ? `The audit failed: ${now.error.message}` : now.result ? `${now.result.verdict}: ${now.result.suspects} suspicious places` : "The audit was cancelled.";
      await app.count();
    };
  }
}
