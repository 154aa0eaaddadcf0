// Finds the places that a page keeps for live figures, <div data-live="mixer"></div>, and fills each
// when the reader comes near it. The notebook's own picture and table stand in the next cell: they
// are folded away only when the figure runs, so that without scripts, on paper and in a notebook
// nothing is missing.

import { el } from "./dom.js";

const FIGURES = new Set(["mixer", "pixel", "reduction"]);

async function mount(place) {
  const name = place.dataset.live;
  if (!FIGURES.has(name)) throw new Error(`no live figure "${name}"`);
  const [figure, numbers] = await Promise.all([
    import(`./${name}.js`),
    fetch(new URL("numbers.json", import.meta.url)).then((answer) => answer.json()),
  ]);
  await figure.mount(place, numbers);
  place.classList.add("live-figure");
  foldTwin(place);
}

function foldTwin(place) {
  const twin = place.nextElementSibling;
  if (!twin?.classList.contains("cell")) return;
  twin.id ||= `live-twin-${place.dataset.live}`;
  twin.classList.add("live-twin");
  const button = el("button", { type: "button", "aria-controls": twin.id, class: "live-fold" });
  const show = (open) => {
    twin.dataset.open = open;
    button.setAttribute("aria-expanded", open);
    button.textContent = open ? "Hide the static version" : "Show the static version and its code";
  };
  button.addEventListener("click", () => show(twin.dataset.open !== "true"));
  show(false);
  place.append(button);
}

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      mount(target);
    }
  },
  { rootMargin: "1200px" },
);
for (const place of document.querySelectorAll("[data-live]")) near.observe(place);
