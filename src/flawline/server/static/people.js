// One's own password and tokens; everybody's roles and links.
import { call, notice, onClick, onSubmit } from "/static/api.js";

function secret(text) {
  const place = document.querySelector("[data-secret]");
  place.querySelector("code").textContent = text;
  place.hidden = false;
}

onSubmit(document.querySelector("[data-password]"), async (data) => {
  await call("PUT", "/api/me/password", { password: data.get("password"), present: data.get("present") ?? "" });
  location.href = "/sign-in";
});
onSubmit(document.querySelector("[data-token]"), async (data) => {
  secret((await call("POST", "/api/me/tokens", { name: data.get("name"), role: data.get("role") })).token);
});
onClick("[data-end-token]", async (button) => {
  await call("DELETE", `/api/me/tokens/${button.dataset.endToken}`);
  button.closest("li").remove();
});
onSubmit(document.querySelector("[data-person]"), async (data) => {
  secret((await call("POST", "/api/accounts", { name: data.get("name"), role: data.get("role") })).link);
});
onClick("[data-link]", async (button) => {
  secret((await call("POST", `/api/accounts/${encodeURIComponent(button.dataset.link)}/link`)).link);
});
onClick("[data-disable]", async (button) => {
  await call("PATCH", `/api/accounts/${encodeURIComponent(button.dataset.disable)}`, { disabled: button.dataset.disabled !== "true" });
  location.reload();
});
document.addEventListener("change", async (event) => {
  const name = event.target.dataset?.role;
  if (!name) return;
  try {
    await call("PATCH", `/api/accounts/${encodeURIComponent(name)}`, { role: event.target.value });
    notice(`${name} is ${event.target.value} now`);
  } catch (error) {
    notice(error.message);
  }
});
