"use strict";
const data = JSON.parse(document.getElementById("network").textContent);
const at = (id) => document.getElementById(id);
const figure = at("figure");
const count = new Intl.NumberFormat("en-US");

// A box is one step, or a closed block. `path` names it in the whole network, `number` is its place
// among all steps; a group has the number of its first step.

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function below(holder, path) {
  if (path.startsWith("/")) return path.slice(1);
  return holder ? `${holder}.${path}` : path;
}

// All boxes of the network, opened or not: what a search looks at.
function* listBoxes(elements, holder, first, above) {
  for (const element of elements) {
    if (element.series) yield* listBoxes(element.series, holder, first, above);
    else if (element.parallel) {
      for (const branch of element.parallel) yield* listBoxes(branch, holder, first, above);
      if (element.join) yield* listBoxes([element.join], holder, first, above);
    } else if (element.stub) yield* listBoxes(element.stub, holder, first, above);
    else if (element.mesh) {
      for (const vertex of element.mesh) yield* listBoxes([vertex.element], holder, first, above);
    } else if (element.group !== undefined) {
      const path = below(holder, element.group);
      yield { element, path, first: first + element.first, above };
      const body = network.bodies[element.body];
      yield* listBoxes(body, path, first + element.first, [...above, path]);
    } else yield { element, path: below(holder, element.paths.at(-1) ?? ""), first, above };
  }
}

// A page shows one network, or both sides of one of several comparisons.

const NOTHING = { title: "No network", source: "", inputs: {}, totals: {}, tree: [], heads: [], bodies: [], lines: [], fields: [], claims: {} };
const state = { open: new Set(), at: "", shade: "", query: "", side: "new", index: 0, changes: false, size: "", batch: 1, scale: 1 };
let comparison, network, boxes, known, groups, most, changed, resized;

function settle() {
  comparison = data.comparisons?.[state.index];
  network = data.comparisons ? comparison?.[state.side] ?? NOTHING : data;
  boxes = [...listBoxes(network.tree, "", 0, [])];
  for (const head of network.heads) boxes.push(...listBoxes([head], "", 0, []));
  known = new Map(boxes.map((box) => [box.path, box]));
  groups = boxes.filter((box) => box.element.group !== undefined);
  most = {};
  resized = resize();
  changed = new Set();
  for (const finding of comparison?.findings ?? []) {
    for (const place of finding.places) locate(place[state.side]).forEach((box) => changed.add(box.path));
  }
  state.open = new Set([...state.open].filter((path) => known.get(path)?.element.group !== undefined));
  at("title").textContent = comparison?.title ?? network.title;
  at("about").textContent = [network.source, tellCost(totals())].filter(Boolean).join(" · ");
}

// Another input or batch: each step follows the sizes that it reads by the numbers of its rule.

function readSize(text) {
  const sides = /^\s*(\d{1,5})(?:\s*[x×]\s*(\d{1,5}))?\s*$/.exec(text);
  return sides && [Number(sides[1]), Number(sides[2] ?? sides[1])];
}

function resize() {
  const { sizes } = network;
  if (!sizes || (!state.size && state.batch === 1)) return undefined;
  const [image] = Object.values(network.inputs);
  const asked = state.size ? readSize(state.size) : image.slice(1);
  if (!asked) return { problem: "write a size as in 331x331" };
  const input = { channels: image[0], sides: asked };
  const steps = [];
  for (const [number, reads] of sizes.reads.entries()) {
    const step = follow(sizes.rules[sizes.of[number]], reads.map((each) => (each < 0 ? input : steps[each])));
    if (step.problem) return { problem: `${nameStep(number)}: ${step.problem}` };
    steps.push(step);
  }
  const heads = new Set(sizes.heads);
  const total = { params: 0, macs: 0 };
  steps.forEach((step, number) => {
    step.macs *= state.batch;
    step.memory = 4 * state.batch * step.channels * (step.sides ? step.sides[0] * step.sides[1] : 1);
    step.shape = step.sides ? `${step.sides.join("x")}x${step.channels}` : String(step.channels);
    if (heads.has(number)) return;
    total.params += step.params;
    total.macs += step.macs;
  });
  return { steps, total };
}

function follow(rule, inputs) {
  const sides = [];
  for (const [axis, [times, plus, stride, least]] of rule.axes.entries()) {
    const read = inputs.map((each) => each.sides[axis]);
    const size = Math.max(...read);
    if (read.some((each) => each !== size && each !== 1)) return { problem: `it reads ${read.join(" and ")} pixels` };
    if (size < least) return { problem: `it needs ${least} pixels, and reads ${size}` };
    sides.push(Math.floor((times * size + plus) / stride));
  }
  const [first] = inputs;
  const places = (each) => (each.sides ? each.sides[0] * each.sides[1] : 0);
  const made = { channels: rule.channels ?? first.channels, sides: sides.length ? sides : undefined };
  if (rule.flat) made.channels = first.channels * places(first);
  const amount = ([fixed, given, read, features]) =>
    fixed + given * places(made) + read * places(first) + features * (first.sides ? 0 : first.channels);
  return { ...made, params: amount(rule.params), macs: amount(rule.macs) };
}

function nameStep(number) {
  const box = boxes.find((each) => each.element.number !== undefined && each.first + each.element.number === number);
  return box?.path ?? `step ${number}`;
}

function totals() {
  return resized?.total ?? network.totals;
}

// The shape and the costs of a box at the input and the batch that are asked for.
function factsOf(box) {
  const { element } = box;
  if (!resized?.steps) return element;
  if (element.number !== undefined) return resized.steps[box.first + element.number];
  if (element.group === undefined) return state.size ? {} : element;
  const facts = { params: 0, macs: 0, memory: 0, shape: element.shape };
  for (const inner of boxes) {
    if (inner.element.number === undefined || !inner.above.includes(box.path)) continue;
    const step = resized.steps[inner.first + inner.element.number];
    for (const cost of ["params", "macs", "memory"]) facts[cost] += step[cost];
    facts.shape = step.shape;
  }
  return facts;
}

// The boxes of a path: its own, those below it, or the one that holds it.
function locate(path) {
  if (!path) return [];
  if (known.has(path)) return [known.get(path)];
  const within = boxes.filter((box) => box.path.startsWith(`${path}.`));
  if (within.length) return within;
  const holder = path.split(".").slice(0, -1).join(".");
  return holder ? locate(holder) : [];
}

// What a box says.

function nameOf(box) {
  const { element, path } = box;
  if (element.copies) return `${element.copies} x ${element.title ?? path}`;
  if (element.group !== undefined) return element.label ?? element.title ?? path;
  return element.text[0] ?? { sum: "+", product: "×" }[element.form] ?? path;
}

function labelOf(box) {
  const facts = factsOf(box);
  const parts = [nameOf(box), box.path, facts.shape, tellCost(facts)];
  return parts.filter(Boolean).join(", ");
}

function tellCost(element) {
  const parts = [];
  if (element.params) parts.push(`${count.format(element.params)} params`);
  if (element.macs) parts.push(`${count.format(element.macs)} MACs`);
  return parts.join(", ");
}

function makeBox(box) {
  const { element, path } = box;
  const { shape } = factsOf(box);
  const isGroup = element.group !== undefined;
  const kind = element.kind || "plain";
  const button = make("button", `box k-${kind} ${element.form ?? ""}`);
  button.type = "button";
  button.dataset.path = path;
  button.setAttribute("aria-label", labelOf(box));
  if (isGroup) {
    button.append(make("b", "", nameOf(box)));
    if (!element.label) button.append(make("small", "path", path));
    if (shape) button.append(make("small", "", shape));
    button.setAttribute("aria-expanded", String(state.open.has(path)));
  } else if (element.form === "sum" || element.form === "product") {
    button.textContent = element.form === "sum" ? "+" : "×";
  } else {
    textOf(element).forEach((line, index) => button.append(make(index ? "span" : "b", "", line)));
    if (shape && element.form !== "pill") button.append(make("small", "", shape));
  }
  if (element.note) button.title = element.note;
  paint(button, box);
  return button;
}

// The lines of a box; the box of the input has the shape that is asked for.
function textOf(element) {
  if (!resized?.steps || element.paths[0] !== "input" || !state.size) return element.text;
  const [[channels]] = Object.values(network.inputs);
  return [element.text[0], `(${tellShape([channels, ...readSize(state.size)])})`];
}

function paint(button, box) {
  button.style.background = "";
  if (!state.shade) return;
  const part = (factsOf(box)[state.shade] ?? 0) / largest(state.shade);
  button.style.background = part ? `rgba(238,132,48,${(0.12 + 0.88 * part).toFixed(3)})` : "transparent";
}

function largest(cost) {
  most[cost] ??= Math.max(1, ...boxes.map((box) => factsOf(box)[cost] ?? 0));
  return most[cost];
}

// The figure.

function draw(elements, holder, first) {
  const series = make("div", "series");
  for (const element of elements) {
    if (element.join) {
      series.append(drawParallel(element, holder, first));
      series.append(drawOne(element.join, holder, first));
    } else series.append(drawOne(element, holder, first));
  }
  return series;
}

function drawOne(element, holder, first) {
  if (element.series) return draw(element.series, holder, first);
  if (element.parallel) return drawParallel(element, holder, first);
  if (element.stub) return drawStub(element, holder, first);
  if (element.mesh) return drawMesh(element, holder, first);
  const isGroup = element.group !== undefined;
  const path = below(holder, isGroup ? element.group : element.paths.at(-1) ?? "");
  const box = known.get(path);
  return isGroup ? drawGroup(box) : makeBox({ ...box, element });
}

function drawParallel(element, holder, first) {
  const row = make("div", "parallel");
  for (const items of element.parallel) {
    const stub = items.length === 1 && items[0].stub;
    const branch = make("div", stub ? "branch stub" : "branch");
    branch.append(make("span", "up"));
    if (items.length) branch.append(draw(stub || items, holder, first));
    branch.append(make("span", "wire"));
    row.append(branch);
  }
  return row;
}

function drawStub(element, holder, first) {
  return draw(element.stub, holder, first);
}

function drawMesh(element, holder, first) {
  const mesh = make("div", "mesh");
  mesh.append(make("p", "note", "Branches do not nest here: each box names what it reads."));
  for (const vertex of element.mesh) {
    const reads = vertex.reads.map((name) => (name === element.source ? "the input" : name));
    mesh.append(make("span", "note", `${vertex.name} reads ${reads.join(" and ") || "nothing"}`));
    mesh.append(drawOne(vertex.element, holder, first));
  }
  return mesh;
}

function drawGroup(box) {
  const { element, path } = box;
  const button = makeBox(box);
  if (!state.open.has(path)) return button;
  const frame = make("div", element.label ? "frame head" : "frame");
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", nameOf(box));
  frame.append(button, draw(network.bodies[element.body], path, box.first));
  return frame;
}

function redraw() {
  showSides();
  const trunk = draw(network.tree, "", 0);
  figure.replaceChildren(trunk);
  if (network.heads.length) {
    const heads = make("div", "heads");
    for (const head of network.heads) {
      const part = make("div", "series");
      part.append(make("p", "note", `reads ${head.reads}`), drawGroup(known.get(head.group)));
      heads.append(part);
    }
    figure.append(heads);
  }
  mark();
}

function toggle(path, isOpen = !state.open.has(path)) {
  if (isOpen) state.open.add(path);
  else state.open.delete(path);
  const button = find(path);
  if (!button) return;
  const old = button.parentElement.classList.contains("frame") ? button.parentElement : button;
  old.replaceWith(drawGroup(known.get(path)));
  mark();
  find(path).focus({ preventScroll: true });
}

function find(path) {
  return figure.querySelector(`.box[data-path="${CSS.escape(path)}"]`);
}

// Facts of the box that is chosen.

function choose(path) {
  state.at = path;
  const box = known.get(path);
  at("facts").replaceChildren(...(box ? tellFacts(box) : tellNetwork()));
  mark();
}

function addFact(list, name, value) {
  if (value === undefined || value === "") return;
  list.append(make("dt", "", name), make("dd", "", value));
}

function tellNetwork() {
  const list = make("dl");
  const inputs = Object.entries(network.inputs);
  for (const [name, shape] of inputs) addFact(list, name || "input", tellShape([shape[0], ...(readSize(state.size) ?? shape.slice(1))]));
  if (state.batch > 1) addFact(list, "batch", count.format(state.batch));
  if (network === NOTHING) return tellFindings();
  addFact(list, "params", count.format(totals().params));
  addFact(list, "MACs", count.format(totals().macs));
  if (!resized) addFact(list, "FLOPs", count.format(network.totals.flops));
  return [...tellFindings(), make("h2", "", network.title), list, ...tellClaims("")];
}

function tellFindings() {
  const notices = (data.notices ?? []).map((text) => make("p", "note", text));
  if (!comparison) return notices;
  const list = make("ul", "findings");
  for (const finding of comparison.findings) {
    const item = make("li");
    const button = make("button", "", `${finding.category}: ${finding.text}`);
    button.type = "button";
    button.addEventListener("click", () => lead(finding));
    item.append(button);
    list.append(item);
  }
  const { length } = comparison.findings;
  return [...notices, make("h2", "", length === 1 ? "1 finding" : `${length} findings`), list];
}

// Shows the first place of a finding: on the side that is shown, or on the one that has it.
function lead(finding) {
  const place = finding.places.find((each) => each[state.side]) ?? finding.places[0];
  if (!place) return;
  if (!place[state.side]) state.side = state.side === "new" ? "old" : "new";
  settle();
  const [box] = locate(place[state.side]);
  if (!box) return;
  box.above.forEach((path) => state.open.add(path));
  redraw();
  choose(box.path);
  find(box.path)?.scrollIntoView({ block: "center", inline: "center" });
}

// The path of a box on the other side, if it has one there.
function carry(path, side) {
  const other = side === "new" ? "old" : "new";
  const pair = comparison?.pairs.find((each) => each[other] === path);
  return pair ? pair[side] : path;
}

function tellShape([channels, ...sides]) {
  return sides.length ? `${sides.join("x")}x${channels}` : String(channels);
}

function tellFacts(box) {
  const { element, path } = box;
  const isGroup = element.group !== undefined;
  const parts = [make("h2", "", nameOf(box))];
  for (const finding of comparison?.findings ?? []) {
    const isHere = finding.places.some((place) => locate(place[state.side]).includes(box));
    if (isHere) parts.push(make("p", "fails", `${finding.category}: ${finding.text}`));
  }
  const list = make("dl");
  addFact(list, "path", path);
  const facts = factsOf(box);
  addFact(list, "output", facts.shape);
  for (const [cost, name] of [["params", "params"], ["macs", "MACs"]]) {
    const value = facts[cost] ?? 0;
    const share = totals()[cost] ? (100 * value) / totals()[cost] : 0;
    addFact(list, name, `${count.format(value)} (${share.toFixed(1)}%)`);
  }
  if (facts.memory) addFact(list, "values", `${count.format(facts.memory)} bytes in float32`);
  addFact(list, "source", element.source);
  for (const [name, value] of Object.entries(element.arguments ?? {})) addFact(list, name, value);
  parts.push(list);
  if (!isGroup && element.text.length > 1) parts.push(make("p", "note", element.text.slice(1).join(" ")));
  if (element.number !== undefined && !state.size) parts.push(...tellField(network.fields[box.first + element.number]));
  parts.push(...tellTensors(element, path), ...tellLine(element), ...tellClaims(path));
  return parts;
}

function tellTensors(element, path) {
  if (!element.tensors) return [];
  const keys = make("ul");
  const holder = element.reuses ?? path;
  for (const [name, shape] of Object.entries(element.tensors)) {
    const item = make("li");
    item.append(make("code", "", `${holder}.${name}`), ` ${shape.join(" x ") || "a number"}`);
    keys.append(item);
  }
  return [make("h3", "note", element.reuses ? "state_dict, shared" : "state_dict"), keys];
}

function tellLine(element) {
  if (element.line === undefined) return [];
  const [file, number, text] = network.lines[element.line];
  return [make("h3", "note", `${file}:${number}`), make("pre", "", text)];
}

function tellClaims(path) {
  const claims = network.claims[path] ?? [];
  return claims.map((claim) => {
    const verdict = claim.holds ? "holds" : `does not hold: ${tellValue(claim.counted)}`;
    const text = `${claim.source || "claim"}: ${claim.measure} ${claim.claimed} ${verdict}`;
    return make("p", claim.holds ? "holds" : "fails", text);
  });
}

function tellValue(value) {
  return typeof value === "number" ? count.format(value) : value;
}

function tellField(field) {
  if (!field) return [];
  const [top, height, down, left, width, right] = field;
  const list = make("dl");
  addFact(list, "receptive field", `${height}x${width} pixels`);
  addFact(list, "stride", down === right ? `${down}` : `${down}, ${right}`);
  const shapes = Object.values(network.inputs);
  const image = shapes.length === 1 && shapes[0].length === 3 ? shapes[0] : undefined;
  return image ? [list, drawField(image, { top, left, height, width, down, right })] : [list];
}

// The unit in the middle of the map, on the outline of the input.
function drawField([, high, wide], seen) {
  const middle = (start, stride, size, side) =>
    stride ? start + stride * Math.max(0, Math.round(((side - size) / 2 - start) / stride)) : start;
  const y = middle(seen.top, seen.down, seen.height, high);
  const x = middle(seen.left, seen.right, seen.width, wide);
  const box = [Math.min(0, x), Math.min(0, y), Math.max(wide, x + seen.width), Math.max(high, y + seen.height)];
  const name = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(name, "svg");
  const edge = 0.02 * Math.max(wide, high);
  svg.setAttribute("viewBox", [box[0] - edge, box[1] - edge, box[2] - box[0] + 2 * edge, box[3] - box[1] + 2 * edge].join(" "));
  svg.setAttribute("class", "eye");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `a unit in the middle sees ${seen.height} x ${seen.width} pixels of ${high} x ${wide}`);
  for (const [kind, left, top, width, height] of [["image", 0, 0, wide, high], ["seen", x, y, seen.width, seen.height]]) {
    const rect = document.createElementNS(name, "rect");
    Object.entries({ class: kind, x: left, y: top, width, height, "stroke-width": edge / 2 }).forEach(([key, value]) => rect.setAttribute(key, value));
    svg.append(rect);
  }
  return svg;
}

// Search: words that a box has, and bounds such as `> 1M params`.

const UNITS = { k: 1e3, m: 1e6, g: 1e9, b: 1e9 };
const BOUND = /([<>]=?)\s*([\d.,]+)\s*([kmgb]?)\s*(params|macs|bytes)\b|\b(params|macs|bytes)\s*([<>]=?)\s*([\d.,]+)\s*([kmgb]?)/gi;

function readQuery(text) {
  const bounds = [];
  const words = text.replace(BOUND, (_, sign, digits, unit, cost, cost2, sign2, digits2, unit2) => {
    const amount = parseFloat((digits ?? digits2).replace(/,/g, ""));
    const factor = UNITS[(unit ?? unit2 ?? "").toLowerCase()] ?? 1;
    const name = (cost ?? cost2).toLowerCase();
    bounds.push({ sign: sign ?? sign2, amount: amount * factor, cost: name === "bytes" ? "memory" : name });
    return " ";
  });
  return { bounds, text: words.trim().toLowerCase().replace(/\s+/g, " ") };
}

function wordsOf(box) {
  const { element, path } = box;
  const text = [nameOf(box), ...(element.text ?? []), path, factsOf(box).shape, element.note];
  return text.filter(Boolean).join(" ").toLowerCase();
}

// Words begin where a query begins, and a number ends where it ends: `1x7` is not in `71x71`.
function makePattern(text) {
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}${/\d$/.test(text) ? "(?!\\d)" : ""}`, "u");
}

function compare(value, sign, amount) {
  if (sign === ">") return value > amount;
  if (sign === ">=") return value >= amount;
  return sign === "<" ? value < amount : value <= amount;
}

function search(query) {
  const { bounds, text } = readQuery(query);
  if (!bounds.length && !text) return undefined;
  const steps = boxes.filter((box) => box.element.group === undefined && box.element.number !== undefined);
  const pattern = makePattern(text);
  const fits = (box) =>
    pattern.test(wordsOf(box)) &&
    bounds.every(({ cost, sign, amount }) => compare(factsOf(box)[cost] ?? 0, sign, amount));
  return new Set(steps.filter(fits).map((box) => box.path));
}

function mark() {
  const found = search(state.query);
  const hits = state.changes ? new Set([...(found ?? changed)].filter((path) => changed.has(path))) : found;
  const holders = new Set();
  for (const path of hits ?? []) known.get(path).above.forEach((holder) => holders.add(holder));
  for (const button of figure.querySelectorAll(".box")) {
    const { path } = button.dataset;
    const isHit = hits?.has(path) || (holders.has(path) && !state.open.has(path));
    button.classList.toggle("hit", Boolean(isHit));
    button.classList.toggle("dim", Boolean(hits) && !isHit && !holders.has(path));
    const isChosen = path === state.at && path !== "";
    button.classList.toggle("chosen", isChosen);
    if (isChosen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  markChanges();
  const steps = found?.size;
  at("found").textContent = found ? `${count.format(steps)} ${steps === 1 ? "step" : "steps"}` : "";
  remember();
}

function markChanges() {
  const holders = new Set();
  for (const path of changed) known.get(path).above.forEach((holder) => holders.add(holder));
  for (const button of figure.querySelectorAll(".box")) {
    const { path } = button.dataset;
    button.classList.toggle("changed", changed.has(path));
    button.classList.toggle("holds-change", !changed.has(path) && holders.has(path) && !state.open.has(path));
  }
}

// The address holds what a reader sees, so that a link shows it to others.

function remember() {
  const parts = new URLSearchParams();
  if (state.open.size) parts.set("open", state.open.size === groups.length ? "all" : [...state.open].join(" "));
  for (const name of ["at", "shade", "query"]) if (state[name]) parts.set(name, state[name]);
  if (state.size) parts.set("size", state.size);
  if (state.batch > 1) parts.set("batch", state.batch);
  if (comparison && state.side === "old") parts.set("side", "old");
  if (comparison && state.index) parts.set("index", state.index);
  if (comparison && state.changes) parts.set("changes", "only");
  const hash = parts.toString();
  if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
}

function recall() {
  const parts = new URLSearchParams(location.hash.slice(1));
  state.side = parts.get("side") === "old" ? "old" : "new";
  state.index = data.comparisons?.[parts.get("index")] ? Number(parts.get("index")) : 0;
  state.changes = parts.get("changes") === "only";
  state.size = parts.get("size") ?? "";
  state.batch = readBatch(parts.get("batch"));
  settle();
  const open = (parts.get("open") ?? "").split(" ");
  const isOpen = ({ path }) => open.includes("all") || open.includes(path);
  state.open = new Set(groups.filter(isOpen).map(({ path }) => path));
  state.at = known.has(parts.get("at")) ? parts.get("at") : "";
  state.shade = ["params", "macs", "memory"].includes(parts.get("shade")) ? parts.get("shade") : "";
  state.query = parts.get("query") ?? "";
  at("search").value = state.query;
  at("shade").value = state.shade;
  redraw();
  choose(state.at);
}

function readBatch(text) {
  const batch = Number(text);
  return Number.isInteger(batch) && batch >= 1 && batch <= 1e6 ? batch : 1;
}

function showSides() {
  at("sizes").hidden = !network.sizes;
  at("size").placeholder = Object.values(network.inputs)[0]?.slice(1).join("x") ?? "";
  if (document.activeElement !== at("size")) at("size").value = state.size;
  if (document.activeElement !== at("batch")) at("batch").value = state.batch;
  at("problem").textContent = resized?.problem ?? "";
  at("sides").hidden = !comparison;
  at("comparison").hidden = !(data.comparisons?.length > 1);
  at("comparison").value = state.index;
  at("changes").checked = state.changes;
  for (const side of ["old", "new"]) at(side).checked = state.side === side;
}

function turn(side) {
  const path = carry(state.at, side);
  const wasAll = state.open.size === groups.length;
  state.side = side;
  settle();
  if (wasAll) state.open = new Set(groups.map((box) => box.path));
  known.get(path)?.above.forEach((holder) => state.open.add(holder));
  redraw();
  choose(known.has(path) ? path : "");
}

// Keys, clicks, and the hand that moves the figure.

function step(from, forward) {
  const all = [...figure.querySelectorAll(".box")];
  const index = all.indexOf(from);
  all[Math.min(all.length - 1, Math.max(0, index + (forward ? 1 : -1)))]?.focus();
}

figure.addEventListener("click", (event) => {
  const button = event.target.closest(".box");
  if (!button) return;
  const { path } = button.dataset;
  choose(path);
  if (known.get(path)?.element.group !== undefined) toggle(path);
});

figure.addEventListener("keydown", (event) => {
  const button = event.target.closest(".box");
  if (!button) return;
  const isForward = event.key === "ArrowDown" || event.key === "ArrowRight";
  if (isForward || event.key === "ArrowUp" || event.key === "ArrowLeft") {
    event.preventDefault();
    step(button, isForward);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && event.target !== at("search")) {
    event.preventDefault();
    at("search").focus();
  } else if (event.key === "Escape") {
    state.query = at("search").value = "";
    choose("");
  }
});

at("search").addEventListener("input", (event) => {
  state.query = event.target.value;
  mark();
});
at("shade").addEventListener("change", (event) => {
  state.shade = event.target.value;
  redraw();
});
at("open").addEventListener("click", () => {
  state.open = new Set(groups.map((box) => box.path));
  redraw();
});
at("close").addEventListener("click", () => {
  state.open.clear();
  redraw();
});
at("print").addEventListener("click", () => window.print());
addEventListener("hashchange", recall);

function zoom(scale) {
  state.scale = Math.min(3, Math.max(0.1, scale));
  figure.style.zoom = state.scale;
  at("scale").textContent = `${Math.round(100 * state.scale)}%`;
}

at("larger").addEventListener("click", () => zoom(1.25 * state.scale));
at("smaller").addEventListener("click", () => zoom(state.scale / 1.25));
at("view").addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  zoom(state.scale * Math.exp(-event.deltaY / 300));
}, { passive: false });

at("view").addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || event.target.closest(".box")) return;
  const view = at("view");
  const [x, y, left, top] = [event.clientX, event.clientY, view.scrollLeft, view.scrollTop];
  const move = (next) => view.scrollTo(left + x - next.clientX, top + y - next.clientY);
  const stop = () => {
    view.classList.remove("dragged");
    removeEventListener("pointermove", move);
  };
  view.classList.add("dragged");
  addEventListener("pointermove", move);
  addEventListener("pointerup", stop, { once: true });
});

function changeInput() {
  state.size = at("size").value.trim();
  state.batch = readBatch(at("batch").value);
  settle();
  redraw();
  choose(state.at);
}

at("size").addEventListener("change", changeInput);
at("batch").addEventListener("change", changeInput);
for (const side of ["old", "new"]) at(side).addEventListener("change", () => turn(side));
at("changes").addEventListener("change", (event) => {
  state.changes = event.target.checked;
  mark();
});
at("comparison").addEventListener("change", (event) => {
  Object.assign(state, { index: Number(event.target.value), open: new Set(), at: "" });
  settle();
  redraw();
  choose("");
});
(data.comparisons ?? []).forEach((each, index) => {
  const option = make("option", "", each.title);
  option.value = index;
  at("comparison").append(option);
});
recall();
