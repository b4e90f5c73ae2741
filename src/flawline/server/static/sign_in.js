// Signing in: by name and password, or by the one-time link behind #.
import { call, onSubmit } from "/static/api.js";

const form = document.querySelector("[data-sign-in]");
onSubmit(form, async (data) => {
  await call("POST", "/api/sign-in", { name: data.get("name"), password: data.get("password") });
  location.href = form.dataset.to;
});

const link = location.hash.slice(1);
if (link) {
  history.replaceState(null, "", location.pathname + location.search);
  try {
    const who = await call("POST", "/api/sign-in/link", { link });
    location.href = who.has_password ? form.dataset.to : "/account";
  } catch (error) {
    const problem = form.querySelector(".problem");
    problem.textContent = error.message;
    problem.hidden = false;
  }
}
