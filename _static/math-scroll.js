// A display formula wider than the screen scrolls in its own frame; let the keyboard reach it.
function markWideFormulas() {
  for (const formula of document.querySelectorAll("div.math")) {
    if (formula.scrollWidth > formula.clientWidth) {
      formula.tabIndex = 0;
    } else {
      formula.removeAttribute("tabindex");
    }
  }
}
window.addEventListener("load", markWideFormulas);
window.addEventListener("resize", markWideFormulas);
