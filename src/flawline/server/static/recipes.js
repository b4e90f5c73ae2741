// Train or upload a recipe, activate it, or bring an earlier one back.
import { call, onClick, onSubmit } from "/static/api.js";

onSubmit(document.querySelector("[data-upload]"), async (data) => {
  const made = await call("POST", "/api/recipes", data);
  location.href = `/recipes/${encodeURIComponent(made.product)}`;
});
onClick("[data-activate]", async (button) => {
  await call("POST", `/api/recipes/${encodeURIComponent(button.dataset.product)}/activate`, { recipe: button.dataset.activate });
  location.reload();
});
onSubmit(document.querySelector("[data-train]"), async (data) => {
  location.href = `/train/${(await call("POST", "/api/train", data)).id}`;
});
onClick("[data-activate-training]", async (button) => {
  const made = await call("POST", `/api/train/${button.dataset.activateTraining}/activate`, { product: "" });
  location.href = `/recipes/${encodeURIComponent(made.product)}`;
});
