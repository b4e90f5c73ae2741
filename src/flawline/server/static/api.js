// Calls of the API from pages.

const csrf = () => document.querySelector("meta[name=csrf]")?.content ?? "";

export class Failure extends Error {
  constructor(status, error) {
    super(error.hint ? `${error.message} — ${error.hint}` : error.message);
    this.status = status;
    this.code = error.code;
  }
}

export async function call(method, address, body, more = {}) {
  const headers = { "X-CSRF-Token": csrf(), ...more };
  const form = body instanceof FormData;
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(address, { method, headers, body: body === undefined || form ? body : JSON.stringify(body) });
  } catch {
    throw new Failure(0, { code: "offline", message: "the server cannot be reached", hint: "try again in a moment" });
  }
  const text = await answer.text();
  const found = text ? JSON.parse(text) : {};
  if (!answer.ok) throw new Failure(answer.status, found.error ?? { code: "request", message: `the server answered ${answer.status}` });
  return found;
}

export function notice(text) {
  const place = document.querySelector(".notice");
  place.textContent = text;
  place.hidden = false;
  clearTimeout(notice.timer);
  notice.timer = setTimeout(() => (place.hidden = true), 6000);
}

// Runs `work` when a form is sent; a failure is shown in the form, which stays as it is.
export function onSubmit(form, work) {
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const problem = form.querySelector(".problem");
    const buttons = form.querySelectorAll("button");
    if (problem) problem.hidden = true;
    buttons.forEach((button) => (button.disabled = true));
    try {
      await work(new FormData(form), event);
    } catch (error) {
      if (problem) {
        problem.textContent = error.message;
        problem.hidden = false;
      } else notice(error.message);
    } finally {
      buttons.forEach((button) => (button.disabled = false));
    }
  });
}

export function onClick(selector, work) {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(selector);
    if (!button) return;
    try {
      await work(button);
    } catch (error) {
      notice(error.message);
    }
  });
}
