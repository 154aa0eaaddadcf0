// Channel mixer: a 1×1 convolution on a photograph, its matrix under the reader's hand.

import { announcer, el, number } from "./dom.js";

const INPUTS = ["red", "green", "blue"];
const WIDE = 512;
const HIGH = 384;

const identity = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
];
const third = Number((1 / 3).toFixed(3));

// name: rows of three weights and a bias; `log` takes −log of the picture first.
export function presets(numbers) {
  const plain = (rows) => rows.map((row) => [...row, 0]);
  return {
    "as it is": { rows: identity },
    average: { rows: [[third, third, third, 0]] },
    "BT.601": { rows: plain(numbers.bt601) },
    sepia: { rows: plain(numbers.sepia) },
    swap: { rows: [identity[2], identity[1], identity[0]] },
    negative: { rows: identity.map((row) => [...row.slice(0, 3).map((w) => (w ? -1 : 0)), 1]) },
    stains: { rows: plain(numbers.stains), log: true, picture: "tissue", show: 0 },
  };
}

// What the layer reads for each of the 256 values of a byte: 0 to 1, or its scaled −log.
export function inputs(log) {
  return Float64Array.from({ length: 256 }, (_, byte) =>
    log ? Math.log(Math.max(byte / 255, 1e-6)) / Math.log(1e-6) : byte / 255,
  );
}

// y = W x + b at every pixel, written to `out` as bytes: 0 and less is black, 1 and more is white.
// One output is shown grey; two as red and green; three as red, green and blue; `show` picks one.
export function mix(pixels, rows, values, show, out) {
  const shown = show === null ? rows : [rows[show]];
  // One product for every byte and weight, so that a pixel costs nine looks and no multiplication.
  const products = shown.map((row) => row.slice(0, 3).map((w) => values.map((x) => 255 * w * x)));
  out.fill(255);
  for (let channel = 0; channel < 3; channel += 1) {
    const k = shown.length === 1 ? 0 : channel;
    if (k >= shown.length) {
      for (let i = channel; i < out.length; i += 4) out[i] = 0;
      continue;
    }
    const [r, g, b] = products[k];
    const bias = 255 * shown[k][3];
    for (let i = 0; i < out.length; i += 4) {
      out[i + channel] = r[pixels[i]] + g[pixels[i + 1]] + b[pixels[i + 2]] + bias;
    }
  }
}

async function load(name) {
  const image = new Image();
  image.src = new URL(`${name}.jpg`, import.meta.url);
  await image.decode();
  const canvas = el("canvas", { width: WIDE, height: HIGH });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0, WIDE, HIGH);
  return context.getImageData(0, 0, WIDE, HIGH).data;
}

export async function mount(place, numbers) {
  const settings = presets(numbers);
  const photographs = { coffee: await load("coffee") };
  const state = { rows: [], log: false, picture: "coffee", show: null, x: 256, y: 150 };

  const canvas = el("canvas", { width: WIDE, height: HIGH, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  const frame = context.createImageData(WIDE, HIGH);
  const cross = el("span", { class: "mixer-cross", "aria-hidden": "true" });
  const stage = el(
    "div",
    {
      class: "mixer-stage",
      tabindex: 0,
      role: "application",
      "aria-label": "The picture. Arrow keys choose a pixel; with Shift, ten at a time.",
      onpointerdown: (event) => {
        const box = canvas.getBoundingClientRect();
        choose(
          Math.floor(((event.clientX - box.left) / box.width) * WIDE),
          Math.floor(((event.clientY - box.top) / box.height) * HIGH),
        );
      },
      onkeydown: (event) => {
        const step = event.shiftKey ? 10 : 1;
        const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
        if (!(event.key in moves)) return;
        event.preventDefault();
        const [dx, dy] = moves[event.key];
        choose(state.x + step * dx, state.y + step * dy);
      },
    },
    canvas,
    cross,
  );

  const buttons = el(
    "div",
    { class: "live-row", role: "group", "aria-label": "Ready-made matrices" },
    ...Object.keys(settings).map((name) =>
      el("button", { type: "button", "data-preset": name, onclick: () => use(name) }, name),
    ),
  );
  const counts = el("select", { onchange: () => setOutputs(Number(counts.value)) });
  for (const n of [1, 2, 3]) counts.append(el("option", { value: n }, String(n)));
  const view = el("select", {
    onchange: () => {
      state.show = view.value === "all" ? null : Number(view.value);
      redraw();
    },
  });
  const log = el("input", {
    type: "checkbox",
    onchange: () => {
      state.log = log.checked;
      redraw();
    },
  });
  const choices = el(
    "div",
    { class: "live-row" },
    el("label", {}, "output channels ", counts),
    el("label", {}, "show ", view),
    el("label", {}, log, " take −log of the input first"),
  );
  const matrix = el("table", { class: "mixer-matrix" });
  const sums = el("div", { class: "mixer-sums" });
  place.append(
    buttons,
    el("div", { class: "mixer-body" }, stage, el("div", {}, choices, matrix, sums)),
    el(
      "p",
      { class: "live-note" },
      "Values run from 0, no light, to 1, full light. What falls below 0 is shown as 0, and what rises above 1 as 1. ",
      "One output is shown grey, two as red and green, three as red, green and blue.",
    ),
  );
  const say = announcer(place);

  // Build the fields for the rows there are: a number and a slider for each weight and bias.
  function layFields() {
    const reach = Math.max(2, ...state.rows.flat().map((w) => Math.ceil(Math.abs(w))));
    const head = ["to", ...INPUTS, "bias"].map((name) => el("th", { scope: "col" }, name));
    const body = state.rows.map((row, k) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, String(k)),
        ...row.map((value, c) => {
          const what = c < 3 ? `weight from ${INPUTS[c]}` : "bias";
          const label = `Output ${k}, ${what}`;
          const bounds = { min: -reach, max: reach, step: 0.001 };
          const field = el("input", { type: "number", ...bounds, value, "aria-label": label });
          const slider = el("input", {
            ...{ type: "range", ...bounds, step: reach / 200, value },
            "aria-label": `${label}, slider`,
          });
          const take = (from, to) => () => {
            const typed = from.valueAsNumber;
            const valid = Number.isFinite(typed) && Math.abs(typed) <= 1000;
            field.setAttribute("aria-invalid", !valid);
            if (!valid) return;
            state.rows[k][c] = typed;
            to.value = typed;
            mark(null);
            redraw();
          };
          field.addEventListener("input", take(field, slider));
          slider.addEventListener("input", take(slider, field));
          return el("td", {}, field, slider);
        }),
      ),
    );
    matrix.replaceChildren(
      el("caption", {}, "The matrix, and its bias"),
      el("thead", {}, el("tr", {}, ...head)),
      el("tbody", {}, ...body),
    );
    const together = { 1: "as grey", 2: "both, as red and green", 3: "all, as a colour picture" };
    const alone = state.rows.length > 1 ? state.rows.map((_, k) => [k, `output ${k} alone`]) : [];
    view.replaceChildren(
      ...[["all", together[state.rows.length]], ...alone].map(([value, text]) =>
        el("option", { value, selected: String(state.show ?? "all") === String(value) }, text),
      ),
    );
    counts.value = state.rows.length;
    log.checked = state.log;
  }

  function mark(name) {
    for (const button of buttons.children) {
      button.setAttribute("aria-pressed", button.dataset.preset === name);
    }
  }

  async function use(name) {
    const { rows, log: takeLog = false, picture = "coffee", show = null } = settings[name];
    photographs[picture] ??= await load(picture);
    Object.assign(state, { rows: rows.map((row) => [...row]), log: takeLog, picture, show });
    layFields();
    mark(name);
    redraw();
  }

  function setOutputs(n) {
    while (state.rows.length < n) state.rows.push([...identity[state.rows.length]]);
    state.rows.length = n;
    if (state.show !== null && state.show >= n) state.show = null;
    if (n === 1) state.show = null;
    layFields();
    mark(null);
    redraw();
  }

  function choose(x, y) {
    state.x = Math.min(WIDE - 1, Math.max(0, x));
    state.y = Math.min(HIGH - 1, Math.max(0, y));
    redraw();
  }

  let waiting = false;
  function redraw() {
    if (waiting) return; // many moves of a slider, one drawing a frame
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }

  function draw() {
    const pixels = photographs[state.picture];
    const values = inputs(state.log);
    mix(pixels, state.rows, values, state.show, frame.data);
    context.putImageData(frame, 0, 0);
    cross.style.left = `${(100 * (state.x + 0.5)) / WIDE}%`;
    cross.style.top = `${(100 * (state.y + 0.5)) / HIGH}%`;
    const at = 4 * (state.y * WIDE + state.x);
    const x = [0, 1, 2].map((c) => values[pixels[at + c]]);
    const lines = state.rows.map((row, k) => {
      const terms = x.map((value, c) => `${number(row[c], 3)} · ${number(value)}`);
      const y = row[3] + x.reduce((sum, value, c) => sum + row[c] * value, 0);
      const clipped = y < 0 ? ", shown as 0" : y > 1 ? ", shown as 1" : "";
      return `output ${k}:  ${terms.join(" + ")} + ${number(row[3])} = ${number(y)}${clipped}`;
    });
    const where = `Pixel in row ${state.y}, column ${state.x}`;
    sums.replaceChildren(
      el("p", {}, `${where}: `, ...x.flatMap((v, c) => [c ? ", " : "", `${INPUTS[c]} ${number(v)}`])),
      ...lines.map((line) => el("p", { class: "mixer-sum" }, line)),
    );
    say(`${where}. ${lines.join("; ")}`);
  }

  // For tests: the bytes before and after, and how long a drawing takes.
  place.mixer = { state, source: () => photographs[state.picture], shown: () => frame.data, draw };
  await use("BT.601");
}
