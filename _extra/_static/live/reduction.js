// Reduction calculator: a k×k layer directly, or behind a 1×1 that narrows its input to r channels.

import { announcer, el, svg } from "./dom.js";

const FIELDS = [
  ["k", "kernel k", 31],
  ["c_in", "channels in", 65536],
  ["r", "reduced to r", 65536],
  ["c_out", "channels out", 65536],
  ["h", "rows", 65536],
  ["w", "columns", 65536],
];

// Weights and multiply-accumulates without biases, at stride 1 and a padding that keeps the size.
// Whole numbers of any length: the largest here have more digits than a double can hold.
export function count(setting) {
  const [k, c_in, r, c_out, h, w] = FIELDS.map(([name]) => BigInt(setting[name]));
  const area = h * w;
  const row = (weights) => ({ weights, macs: weights * area });
  const direct = row(k * k * c_in * c_out);
  const reduce = row(c_in * r);
  const after = row(k * k * r * c_out);
  const reduced = row(reduce.weights + after.weights);
  // Reduced and direct cost the same where r (c_in + k² c_out) = k² c_in c_out.
  const over = direct.weights;
  const under = c_in + k * k * c_out;
  const widest = over % under === 0n ? over / under - 1n : over / under;
  return { direct, reduce, after, reduced, breakEven: [over, under], widest };
}

const grouped = (value) => value.toLocaleString("en");
const ratio = (a, b, digits = 2) => (Number((a * 10000n) / b) / 10000).toFixed(digits);

export function mount(place, numbers) {
  const setting = { k: 5, c_in: 480, r: 16, c_out: 48, h: 14, w: 14 };
  const fields = {};
  const said = {};
  const form = el("div", { class: "reduction-fields" });
  for (const [name, text, most] of FIELDS) {
    said[name] = el("span", { class: "reduction-wrong", id: `reduction-${name}-wrong` });
    fields[name] = el("input", {
      ...{ type: "number", min: 1, max: most, step: 1, value: setting[name] },
      "aria-describedby": said[name].id,
      oninput: () => read(),
    });
    form.append(el("label", {}, el("span", {}, text), fields[name], said[name]));
  }
  const slider = el("input", {
    ...{ type: "range", min: 1, step: 1, "aria-label": "reduced to r, slider" },
    oninput: () => {
      fields.r.value = slider.value;
      read();
    },
  });
  const branches = el("select", {
    onchange: () => branches.value && set(numbers.branches[branches.value]),
  });
  branches.append(el("option", { value: "" }, "settings of your own"));
  for (const name of Object.keys(numbers.branches)) {
    branches.append(el("option", { value: name }, name));
  }
  const table = el("table", { class: "reduction-table" });
  const words = el("p", { class: "reduction-words" });
  const chart = svg("svg", { viewBox: "0 -14 460 264", role: "img", class: "reduction-chart" });
  place.append(
    el("div", { class: "live-row" }, el("label", {}, "a branch of GoogLeNet: ", branches)),
    form,
    slider,
    el("div", { class: "reduction-body" }, el("div", {}, table, words), chart),
    el(
      "p",
      { class: "live-note" },
      "Weights without biases. A MAC is one multiplication and the addition of its product. Stride 1, and a padding that keeps the size of the map.",
    ),
  );
  const say = announcer(place);

  function set(values) {
    for (const [name] of FIELDS) fields[name].value = values[name];
    read();
  }

  // Take the fields if all of them are right; else say beside a field what it wants.
  function read() {
    let right = true;
    for (const [name, , most] of FIELDS) {
      const text = fields[name].value.trim();
      const fits = /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= most;
      said[name].textContent = fits ? "" : `a whole number from 1 to ${grouped(most)}`;
      fields[name].setAttribute("aria-invalid", !fits);
      if (fits) setting[name] = Number(text);
      right &&= fits;
    }
    if (right) draw();
  }

  function draw() {
    const counts = count(setting);
    const { direct, reduce, after, reduced, breakEven, widest } = counts;
    const { k, c_in, r, c_out } = setting;
    const same = Object.entries(numbers.branches).find(([, branch]) =>
      FIELDS.every(([name]) => branch[name] === setting[name]),
    );
    branches.value = same ? same[0] : "";
    const rows = [
      [`${k}×${k}, ${c_in} → ${c_out}`, direct],
      [`1×1, ${c_in} → ${r}`, reduce],
      [`${k}×${k}, ${r} → ${c_out}`, after],
      ["reduced, together", reduced],
    ];
    table.replaceChildren(
      el("caption", {}, "Directly, and through r channels"),
      el(
        "thead",
        {},
        el("tr", {}, ...["layer", "weights", "MACs"].map((name) => el("th", { scope: "col" }, name))),
      ),
      el(
        "tbody",
        {},
        ...rows.map(([name, { weights, macs }]) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, name),
            el("td", {}, grouped(weights)),
            el("td", {}, grouped(macs)),
          ),
        ),
      ),
    );
    const limit = ratio(...breakEven);
    const saves = reduced.macs < direct.macs;
    const verdict = saves
      ? `${ratio(direct.macs, reduced.macs)} times fewer multiply-accumulates than directly.`
      : reduced.macs === direct.macs
        ? "Exactly as many as directly: this r is the break-even."
        : `${ratio(reduced.macs, direct.macs)} times as many as directly: this reduction costs.`;
    const saying =
      widest > 0n
        ? `Break-even at r = ${limit}; the widest reduction that saves has ${grouped(widest)} channel${widest === 1n ? "" : "s"}.`
        : `Break-even at r = ${limit}: no reduction saves here.`;
    words.replaceChildren(el("strong", {}, verdict), ` ${saying}`);
    slider.max = Math.max(2, Math.ceil(1.25 * Number(limit)), r);
    slider.value = r;
    drawChart(counts, limit);
    say(`${verdict} ${saying}`);
  }

  function drawChart({ direct, reduced }, limit) {
    const { r } = setting;
    const left = 62;
    const [wide, high] = [380, 190];
    const most = Number(slider.max);
    const slope = Number(reduced.macs) / r;
    const top = 1.05 * Math.max(slope * most, Number(direct.macs));
    const x = (value) => left + (wide * value) / most;
    const y = (value) => 16 + high * (1 - value / top);
    const unit = top >= 1e9 ? [1e9, "billion"] : top >= 1e6 ? [1e6, "million"] : [1, ""];
    const ticks = [0, 0.5, 1].map((part) => part * (top / 1.05));
    const level = y(Number(direct.macs));
    const text = (at, to, what, attributes = {}) => svg("text", { x: at, y: to, ...attributes }, what);
    const even = x(Number(limit));
    chart.setAttribute(
      "aria-label",
      `Multiply-accumulates against r, a straight line from zero. It crosses the level of the direct layer at r = ${limit}. The chosen r is ${r}.`,
    );
    chart.replaceChildren(
      ...ticks.flatMap((value) => [
        svg("line", { x1: left, x2: left + wide, y1: y(value), y2: y(value), class: "grid" }),
        text(left - 6, y(value) + 4, value ? (value / unit[0]).toPrecision(3) : "0", { "text-anchor": "end" }),
      ]),
      svg("line", { x1: left, x2: left + wide, y1: level, y2: level, class: "direct" }),
      text(left + 6, level - 6, "direct", { class: "direct-name" }),
      svg("line", { x1: x(0), y1: y(0), x2: x(most), y2: y(slope * most), class: "reduced" }),
      svg("line", { x1: even, x2: even, y1: level, y2: y(0), class: "even" }),
      svg("circle", { cx: even, cy: level, r: 4.5, class: "even-dot" }),
      text(even - 6, y(0) - 8, `break-even ${limit}`, { "text-anchor": "end" }),
      svg("circle", { cx: x(r), cy: y(Number(reduced.macs)), r: 6.5, class: "chosen" }),
      text(x(0), y(0) + 18, "0"),
      text(x(most), y(0) + 18, grouped(most), { "text-anchor": "end" }),
      text(left + wide / 2, y(0) + 34, "channels of the reduction, r", { "text-anchor": "middle" }),
      text(left - 6, 10, `${unit[1]} MACs`.trim(), { "text-anchor": "start", x: 2 }),
    );
  }

  place.reduction = { count, set };
  read();
}
