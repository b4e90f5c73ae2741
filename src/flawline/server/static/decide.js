// A decision on the page of one part.
import { call, onSubmit } from "/static/api.js";

const form = document.querySelector("[data-decision]");
onSubmit(form, async (data, event) => {
  const verdict = event.submitter?.value || "accept";
  await call("POST", `/api/records/${form.dataset.decision}/decisions`, { verdict, why: data.get("why") });
  location.reload();
});
