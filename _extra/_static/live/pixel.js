// One pixel, all channels: step through a small convolution, number by number, then through the 1×1
// that is left when the window shrinks to one pixel. The integers are those of the chapter.

import { announcer, el } from "./dom.js";

const COLOURS = ["first", "second"]; // of the channels: blue and orange, as in the book's pictures

// Every multiplication in its order: output channel, row, column, input channel, row, column.
export function steps(x, w) {
  const [c_out, c_in, k] = [w.length, w[0].length, w[0][0].length];
  const size = x[0].length - k + 1;
  const found = [];
  for (let o = 0; o < c_out; o += 1) {
    for (let i = 0; i < size; i += 1) {
      for (let j = 0; j < size; j += 1) {
        let sum = 0;
        for (let c = 0; c < c_in; c += 1) {
          for (let u = 0; u < k; u += 1) {
            for (let v = 0; v < k; v += 1) {
              const [weight, value] = [w[o][c][u][v], x[c][i + u][j + v]];
              sum += weight * value;
              found.push({ o, i, j, c, u, v, weight, value, product: weight * value, sum });
            }
          }
        }
      }
    }
  }
  return found;
}

export function mount(place, numbers) {
  const { x, w } = numbers.pixel;
  const k = w[0][0].length;
  const layers = {
    [`${k}×${k} convolution`]: w,
    "1×1 convolution": w.map((row) => row.map((slice) => [[slice[k - 1][k - 1]]])),
  };
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const state = { layer: Object.keys(layers)[0], at: 0, timer: null };
  let todo = [];
  let per = 0; // multiplications for one output number

  const choice = el("div", { class: "live-row", role: "group", "aria-label": "Layer" });
  for (const name of Object.keys(layers)) {
    choice.append(el("button", { type: "button", onclick: () => choose(name) }, name));
  }
  const grids = el("div", { class: "pixel-grids" });
  const sum = el("p", { class: "pixel-sum" });
  const reads = el("p", { class: "pixel-reads" });
  const button = (text, label, act) =>
    el("button", { type: "button", title: label, onclick: act }, text);
  const play = el("button", { type: "button", onclick: () => (state.timer ? stop() : start()) });
  const bar = el(
    "div",
    { class: "live-row", role: "group", "aria-label": "Steps" },
    button("start", "Back to the start", () => go(0)),
    button("back", "Back by one multiplication", () => go(state.at - 1)),
    play,
    button("next", "Next multiplication", () => go(state.at + 1)),
    button("next number", "On to the next finished number", () =>
      go(state.at + (state.at % per === per - 1 ? per : per - 1 - (state.at % per))),
    ),
  );
  const board = el(
    "div",
    {
      class: "pixel-board",
      tabindex: 0,
      role: "application",
      "aria-label":
        "Left and right arrow keys step through the multiplications, up and down through the output numbers, space plays.",
      onkeydown: (event) => {
        const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: per, ArrowUp: -per };
        if (event.key in moves) go(state.at + moves[event.key]);
        else if (event.key === " " && event.target === board) state.timer ? stop() : start();
        else if (event.key === "Home") go(0);
        else if (event.key === "End") go(todo.length - 1);
        else return;
        event.preventDefault();
      },
    },
    grids,
    sum,
    reads,
  );
  place.append(choice, board, bar);
  const say = announcer(place);

  // A grid of numbers; `name` is "w0,1", "x0" or "y0", and its cells are found by row and column.
  const cells = new Map();
  function grid(name, rows, look, act) {
    const table = el("div", { class: `pixel-grid ${look}`, style: `--columns: ${rows[0].length}` });
    rows.forEach((row, i) =>
      row.forEach((value, j) => {
        const text = value === null ? "" : String(value).replace("-", "−");
        const cell = act
          ? el("button", { type: "button", onclick: () => act(i, j) }, text)
          : el("span", {}, text);
        cells.set(`${name},${i},${j}`, cell);
        table.append(cell);
      }),
    );
    return table;
  }

  function titled(title, ...grids) {
    return el("div", { class: "pixel-block" }, el("div", { class: "pixel-title" }, title), ...grids);
  }

  function choose(name) {
    stop();
    state.layer = name;
    state.at = 0;
    for (const each of choice.children) {
      each.setAttribute("aria-pressed", each.textContent === name);
    }
    const weight = layers[name];
    todo = steps(x, weight);
    const size = x[0].length - weight[0][0].length + 1;
    per = todo.length / (weight.length * size * size);
    cells.clear();
    const blank = Array.from({ length: size }, () => Array(size).fill(null));
    const shape = (...sizes) => `(${sizes.join(", ")})`;
    const [c_out, c_in, side] = [weight.length, x.length, weight[0][0].length];
    grids.replaceChildren(
      titled(
        `weight ${shape(c_out, c_in, side, side)}`,
        ...weight.map((row, o) =>
          el("div", { class: "pixel-pair" }, ...row.map((s, c) => grid(`w${o},${c}`, s, COLOURS[c]))),
        ),
      ),
      el("div", { class: "pixel-sign", "aria-hidden": "true" }, "⋆"),
      titled(`input ${shape(c_in, x[0].length, x[0].length)}`, ...x.map((s, c) => grid(`x${c}`, s, COLOURS[c]))),
      el("div", { class: "pixel-sign", "aria-hidden": "true" }, "="),
      titled(
        `output ${shape(c_out, size, size)}`,
        ...weight.map((_, o) =>
          grid(`y${o}`, blank, "out", (i, j) => go(((o * size + i) * size + j) * per + per - 1)),
        ),
      ),
    );
    draw();
  }

  function go(to) {
    state.at = Math.max(0, Math.min(todo.length - 1, to));
    if (state.at === todo.length - 1) stop();
    draw();
  }

  function start() {
    if (state.at === todo.length - 1) state.at = 0;
    state.timer = setInterval(() => go(state.at + 1), still.matches ? 1500 : 700);
    draw();
  }

  function stop() {
    clearInterval(state.timer);
    state.timer = null;
    play.textContent = "play";
  }

  function draw() {
    play.textContent = state.timer ? "pause" : "play";
    const now = todo[state.at];
    const first = state.at - (state.at % per);
    const done = todo.slice(first, state.at + 1);
    for (const [name, cell] of cells) {
      cell.className = "";
      if (name.startsWith("y")) {
        const [o, i, j] = name.slice(1).split(",").map(Number);
        const last = todo.findLast((s) => s.o === o && s.i === i && s.j === j);
        const known = todo.indexOf(last) <= state.at;
        cell.textContent = known ? String(last.sum).replace("-", "−") : "";
        const what = known ? last.sum : "not computed yet";
        cell.setAttribute("aria-label", `output ${o}, row ${i}, column ${j}: ${what}`);
      }
    }
    for (const { o, c, i, j, u, v } of done) {
      cells.get(`w${o},${c},${u},${v}`).className = "read";
      cells.get(`x${c},${i + u},${j + v}`).className = "read";
    }
    cells.get(`w${now.o},${now.c},${now.u},${now.v}`).className = "now";
    cells.get(`x${now.c},${now.i + now.u},${now.j + now.v}`).className = "now";
    cells.get(`y${now.o},${now.i},${now.j}`).className = "now";
    const signed = (n) => (n < 0 ? `(−${-n})` : String(n));
    sum.replaceChildren(
      ...done.flatMap((s, n) => [
        n ? " + " : "",
        el("span", { class: COLOURS[s.c] }, `${signed(s.weight)}·${signed(s.value)}`),
      ]),
      done.length === per ? " = " : " + …, so far ",
      el("strong", {}, String(now.sum).replace("-", "−")),
    );
    const place_ = `output ${now.o}, row ${now.i}, column ${now.j}`;
    reads.textContent =
      `Multiplication ${state.at - first + 1} of ${per} for ${place_}: ` +
      `channel ${now.c}, weight ${now.weight} times input ${now.value} is ${now.product}; the sum so far is ${now.sum}.`.replaceAll("-", "−");
    if (!state.timer) say(reads.textContent);
  }

  place.pixel = { steps, layers, x };
  choose(state.layer);
}
