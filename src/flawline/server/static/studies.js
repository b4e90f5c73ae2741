// The form of a study: what is given is sent, the rest is left to the study.
import { call, onSubmit } from "/static/api.js";

const form = document.querySelector("[data-study]");
onSubmit(form, async () => {
  const settings = {};
  for (const field of form.querySelectorAll("[name]")) {
    if (field.name === "q") continue;
    if (field.type === "checkbox") settings[field.name] = field.checked;
    else if (field.value !== "") settings[field.name] = field.value;
  }
  const job = await call("POST", "/api/studies", { study: form.dataset.study, q: form.querySelector("[name=q]").value, settings });
  location.href = `/studies/${job.id}`;
});
