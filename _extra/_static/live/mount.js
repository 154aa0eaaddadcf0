// Finds the places that a page keeps for live figures, <div data-live="mixer"></div>, and fills each
// when the reader comes near it. The notebook's own picture and table stand in the next cell: they
// are folded away only where scripts run, so that without scripts, on paper and in a notebook
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
  place.append(place.foldButton ?? "");
}

// Fold the static version, and make the button that shows it again.
function foldTwin(place) {
  const twin = place.nextElementSibling;
  if (!twin?.classList.contains("cell")) return;
  twin.id ||= `live-twin-${place.dataset.live}`;
  twin.classList.add("live-twin");
  const button = el("button", { type: "button", "aria-controls": twin.id, class: "live-fold" });
  place.showTwin = (open) => {
    twin.dataset.open = open;
    button.setAttribute("aria-expanded", open);
    button.textContent = open ? "Hide the static version" : "Show the static version and its code";
  };
  button.addEventListener("click", () => place.showTwin(twin.dataset.open !== "true"));
  place.showTwin(false);
  place.foldButton = button;
}

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      mount(target).catch((error) => {
        target.classList.remove("live-waiting");
        target.showTwin?.(true); // no figure came: its static version stays
        throw error;
      });
    }
  },
  { rootMargin: "1200px" },
);
// The room is kept at once, so that nothing moves under the reader when a figure comes.
for (const place of document.querySelectorAll("[data-live]")) {
  place.classList.add("live-waiting");
  foldTwin(place);
  near.observe(place);
}
