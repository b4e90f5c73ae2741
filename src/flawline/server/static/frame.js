// What every page has: dark or light, signing out, the field that goes anywhere (k) and the keys (?).
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

// The field: what is typed is looked up, arrows choose, enter goes there.
const finder = document.querySelector("[data-finder]");
const field = finder?.querySelector("input");
const list = finder?.querySelector("ul");
let chosen = 0, asked = 0;

function choose(number) {
  const entries = [...list.children];
  chosen = Math.max(0, Math.min(number, entries.length - 1));
  entries.forEach((entry, k) => entry.setAttribute("aria-selected", String(k === chosen)));
  field.setAttribute("aria-activedescendant", entries[chosen]?.id ?? "");
}

async function look() {
  const mine = ++asked;
  const { found } = await call("GET", `/api/find?q=${encodeURIComponent(field.value)}`);
  if (mine !== asked) return;
  const text = field.value.trim();
  const search = text ? [{ kind: "search", title: `records with ${text}`, address: `/records?q=${encodeURIComponent(text)}` }] : [];
  list.replaceChildren(
    ...[...found, ...search].map((one, number) => {
      const entry = document.createElement("li");
      entry.id = `found-${number}`;
      entry.setAttribute("role", "option");
      entry.dataset.address = one.address;
      const kind = document.createElement("span");
      kind.className = "soft";
      kind.textContent = one.kind;
      entry.append(one.title, " ", kind);
      return entry;
    }),
  );
  choose(0);
}

const go = (entry) => entry && (location.href = entry.dataset.address);

export function openFinder() {
  field.value = "";
  finder.showModal();
  look();
}

if (finder) {
  onClick("[data-go]", openFinder);
  field.addEventListener("input", look);
  finder.addEventListener("keydown", (event) => {
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (moves[event.key]) {
      event.preventDefault();
      choose(chosen + moves[event.key]);
    }
  });
  finder.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    go(list.children[chosen]);
  });
  list.addEventListener("click", (event) => go(event.target.closest("li")));
  finder.addEventListener("click", (event) => event.target === finder && finder.close());
}

const keys = document.querySelector("[data-keys]");
async function showKeys() {
  if (!keys.childElementCount) {
    const page = new DOMParser().parseFromString(await (await fetch("/keys", { headers: { Accept: "text/html" } })).text(), "text/html");
    keys.replaceChildren(...page.querySelector("main").children);
  }
  keys.showModal();
}
keys?.addEventListener("click", (event) => event.target === keys && keys.close());

document.addEventListener("keydown", (event) => {
  if (!finder || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input,textarea,select,[contenteditable]") || document.querySelector("dialog[open]")) return;
  if (event.key === "k") {
    event.preventDefault();
    openFinder();
  } else if (event.key === "?") showKeys();
});
