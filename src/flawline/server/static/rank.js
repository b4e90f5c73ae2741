// Drop pictures or a zip, and go to their ranking.
import { call, onSubmit } from "/static/api.js";

const form = document.querySelector("[data-rank]");
const input = form.querySelector("input[type=file]");
onSubmit(form, async (data) => {
  const job = await call("POST", "/api/rank", data);
  location.href = `/rank/${job.id}`;
});
for (const name of ["dragenter", "dragover"])
  form.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
form.addEventListener("dragleave", () => form.classList.remove("over"));
form.addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  input.files = event.dataTransfer.files;
  form.requestSubmit();
});
