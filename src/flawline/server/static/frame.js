// What every page has: dark or light, and signing out.
import { call, onClick } from "/static/api.js";

const kept = localStorage.getItem("theme");
if (kept) document.documentElement.dataset.theme = kept;

onClick("[data-theme-switch]", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  const next = now === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("theme", next);
});

onClick("[data-sign-out]", async () => {
  await call("POST", "/api/sign-out");
  location.href = "/sign-in";
});
