// The few helpers that the figures share.

// el("button", { type: "button", onclick: f }, "text", child): an element. Attributes that start
// with "on" are listeners; those that are false, null or undefined are left out.
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// A line for screen readers: says the last text once the reader's hand has rested for a moment.
export function announcer(place) {
  const line = el("p", { class: "live-said", "aria-live": "polite" });
  place.append(line);
  let timer;
  return (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => (line.textContent = text), 400);
  };
}

// A true minus sign, and no more digits than given.
export function number(value, digits = 2) {
  return value.toFixed(digits).replace(/^-(0\.?0*)$/, "$1").replace("-", "−");
}
