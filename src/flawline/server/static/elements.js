// Elements made by scripts: text is text, never markup.

export function element(name, attributes = {}, inside = []) {
  return filled(document.createElement(name), attributes, inside);
}

export function svg(name, attributes = {}, inside = []) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, inside);
}

function filled(made, attributes, inside) {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...(Array.isArray(inside) ? inside : [inside]));
  return made;
}
