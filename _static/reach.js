// What is wider than the screen scrolls in its own frame: let the keyboard reach it, and say what it is.
const FRAMES = {
  "div.math": "Formula",
  ".bd-article pre": "Code or output",
  ".cell_output > .output": "Output",
  ".pst-scrollable-table-container": "Table",
  ".wide-picture": "Picture",
};

const names = new Map();
for (const [selector, name] of Object.entries(FRAMES)) {
  document.querySelectorAll(selector).forEach((frame, i) => names.set(frame, `${name} ${i + 1}`));
}

function markWide(frames) {
  // All are measured before any is marked: a mark in between would have the page laid out anew.
  const wide = frames.map((frame) => frame.scrollWidth > frame.clientWidth);
  for (const [i, frame] of frames.entries()) {
    if (wide[i]) {
      frame.tabIndex = 0;
      frame.setAttribute("role", "region");
      frame.setAttribute("aria-label", `${names.get(frame)}, scrolls sideways`);
    } else {
      frame.removeAttribute("tabindex");
      frame.removeAttribute("role");
      frame.removeAttribute("aria-label");
    }
  }
}
// It also tells of a frame that comes out of a fold, and measures where nothing waits for it.
const observer = new ResizeObserver((entries) => markWide(entries.map((entry) => entry.target)));
for (const frame of names.keys()) observer.observe(frame);
document.fonts.ready.then(() => {
  // Letters of another width; what is folded is told of when it opens.
  markWide([...names.keys()].filter((frame) => !frame.closest("details:not([open])")));
});

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
