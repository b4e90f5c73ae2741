// The page's elements, and what the server told of the set.

export const root = document.querySelector("[data-label]");
export const find = (name) => root.querySelector(`[data-${name}]`);
export const known = JSON.parse(root.dataset.known);
export const url = new URLSearchParams(location.search);
