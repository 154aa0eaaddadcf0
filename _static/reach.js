// What is wider than the screen scrolls in its own frame: let the keyboard reach it, and say what it is.
const FRAMES = {
  "div.math": "Formula",
  ".bd-article pre": "Code or output",
  ".cell_output > .output": "Output",
  ".pst-scrollable-table-container": "Table",
};

function markWideFrames() {
  // All are measured before any is marked: a mark in between would have the page laid out anew.
  const frames = Object.entries(FRAMES).flatMap(([selector, name]) =>
    [...document.querySelectorAll(selector)].map((frame) => {
      return { frame, name, wide: frame.scrollWidth > frame.clientWidth };
    }),
  );
  let count = 0;
  for (const { frame, name, wide } of frames) {
    if (wide) {
      count += 1;
      frame.tabIndex = 0;
      frame.setAttribute("role", "region");
      frame.setAttribute("aria-label", `${name}, scrolls sideways (${count})`);
    } else if (frame.getAttribute("role") === "region") {
      frame.removeAttribute("tabindex");
      frame.removeAttribute("role");
      frame.removeAttribute("aria-label");
    }
  }
}
window.addEventListener("load", markWideFrames);
window.addEventListener("resize", () => setTimeout(markWideFrames, 400)); // after the theme's own
document.addEventListener("toggle", markWideFrames, true); // a fold has no width while it is closed

// The theme takes the focus off a button that was clicked; whoever pressed it with a key needs it back.
let pressed = null;
const giveBack = () => {
  if (pressed && document.activeElement === document.body) {
    pressed.focus();
    pressed = null;
  }
};
window.addEventListener(
  "click",
  (event) => {
    pressed = event.detail === 0 ? event.target.closest("button") : null;
    setTimeout(giveBack);
  },
  true,
);
document.addEventListener("close", () => setTimeout(giveBack), true);

// Paper is white: print from the light theme.
let before = null;
window.addEventListener("beforeprint", () => {
  before = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
window.addEventListener("afterprint", () => {
  document.documentElement.dataset.theme = before;
});
