// Upload a recipe, activate one, bring an earlier one back, and undo that.
import { call, onClick, onSubmit } from "/static/api.js";

const address = (product) => `/recipes/${encodeURIComponent(product)}`;

onSubmit(document.querySelector("[data-upload]"), async (data) => {
  const made = await call("POST", "/api/recipes", data);
  location.href = address(made.product) + (made.before ? `?undo=${made.before}` : "");
});
onClick("[data-activate]", async (button) => {
  const { product, activate, list, plain } = button.dataset;
  button.disabled = true;
  try {
    const made = await call("POST", `/api${address(product)}/activate`, { recipe: activate });
    const undo = made.before && plain === undefined ? new URLSearchParams({ undo: made.before }) : new URLSearchParams();
    if (list !== undefined) undo.set("product", product);
    location.href = `${list === undefined ? address(product) : "/recipes"}?${undo}`;
  } finally {
    button.disabled = false;
  }
});
