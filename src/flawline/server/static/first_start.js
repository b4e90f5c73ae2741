// The sample lot, one click away.
import { call, onClick } from "/static/api.js";

onClick("[data-sample]", async (button) => {
  button.disabled = true;
  try {
    await call("POST", "/api/sample");
  } finally {
    button.disabled = false;
  }
  location.href = "/";
});
