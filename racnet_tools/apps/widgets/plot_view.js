// Draws the figure of a PlotView, its line marks and its text alternative; tells the kernel what was clicked or dragged.
// plot_figure.js stands before this text.

// ---- plotly.js: the server's file where there is one, else the kernel's copy; once for a page
function plotly(model) {
  if (globalThis.Plotly) return Promise.resolve(globalThis.Plotly);
  if (!globalThis.racnetPlotly) {
    const meta = document.querySelector('meta[name="racnet-plotly"]');
    globalThis.racnetPlotly = (meta ? Promise.resolve(meta.content) : sentByKernel(model)).then(loaded);
  }
  return globalThis.racnetPlotly;
}

function loaded(address) {
  return new Promise((resolve, reject) => {
    const waiting = document.querySelector("script[data-racnet-plotly]");
    const element = waiting ?? Object.assign(document.createElement("script"), { src: address });
    element.addEventListener("load", () => resolve(globalThis.Plotly));
    element.addEventListener("error", () => reject(new Error("plotly.js could not be loaded")));
    if (globalThis.Plotly) resolve(globalThis.Plotly);
    else if (!waiting) document.head.append(element);
  });
}

function sentByKernel(model) {
  return new Promise((resolve) => {
    const take = async (message, buffers) => {
      if (message.type !== "library") return;
      model.off("msg:custom", take);
      const text = await new Response(new Blob([buffers[0]]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
      resolve(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
    };
    model.on("msg:custom", take);
    model.send({ type: "library" });
  });
}

const SVG = "http://www.w3.org/2000/svg";
function drawn(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

// Labels of one row moved apart to `gap` pixels, each as near to its place as the others let it be.
function spread(places, gap, low, high) {
  const moved = places.slice();
  for (let i = 0; i < moved.length; i++) moved[i] = Math.max(moved[i], i ? moved[i - 1] + gap : low);
  for (let i = moved.length - 1; i >= 0; i--) moved[i] = Math.min(moved[i], i < moved.length - 1 ? moved[i + 1] - gap : high);
  return moved;
}

const CONFIG = { displaylogo: false, responsive: false, scrollZoom: false, plotlyServerURL: "",
  modeBarButtonsToRemove: ["lasso2d", "select2d"] };

function render({ model, el }) {
  const root = Object.assign(document.createElement("div"), { className: "rn-plot" });
  const area = Object.assign(document.createElement("div"), { className: "rn-plot-area rn-plot-waiting", tabIndex: 0 });
  area.setAttribute("role", "img");
  area.textContent = "Drawing…";
  const marks = document.createElementNS(SVG, "svg");
  marks.setAttribute("class", "rn-plot-marks");
  marks.setAttribute("aria-hidden", "true");
  const grip = Object.assign(document.createElement("div"), { className: "rn-plot-z", tabIndex: 0, hidden: true });
  grip.setAttribute("role", "slider");
  grip.setAttribute("aria-label", "redshift of the marked lines; arrow keys change it, with Shift faster");
  const words = Object.assign(document.createElement("details"), { className: "rn-plot-words" });
  const said = document.createElement("p");
  words.append(Object.assign(document.createElement("summary"), { textContent: "In words" }), said);
  root.append(area, marks, grip, words);
  el.append(root);

  let library = null, shown = false, z = 0, dragging = null, lastSent = 0, later = null, alive = true;
  const partners = new Map(Object.entries(model.get("on_dark")));
  const lines = () => model.get("marks");
  const hasLines = () => Boolean(lines()?.rest?.length);
  const axis = () => area._fullLayout?.xaxis;

  // ---- the figure
  let queue = Promise.resolve();
  const inTurn = (work) => { queue = queue.then(() => alive && work()).catch((error) => console.error(error)); return queue; };

  function figure() {
    const raw = model.get("figure");
    return raw && dressed(unpacked(raw), root, model.get("height"), partners, hasLines() ? 112 : 0);
  }

  async function paint() {
    library ??= await plotly(model);
    const now = figure();
    if (!now || !alive) return;
    if (!shown) { area.textContent = ""; area.classList.remove("rn-plot-waiting"); area.style.minHeight = ""; }
    await library.react(area, now.data, now.layout, CONFIG);
    if (!shown) { shown = true; listen(); }
    mark();
    root.dataset.painted = String(Number(root.dataset.painted ?? 0) + 1);
    globalThis.racnetFirstPaintDone?.();
  }

  async function changed(message, buffers) {
    if (!shown || (message.type !== "restyle" && message.type !== "relayout")) return;
    let changes = unpacked(message.changes, buffers);
    if (isDark(root)) changes = exchanged(changes, partners);
    if (message.type === "restyle") await library.restyle(area, changes, message.traces);
    else await library.relayout(area, changes);
    mark();
  }

  function listen() {
    area.on("plotly_click", ({ points: [point] }) => {
      if (!point) return;
      const index = point.pointIndex ?? point.pointNumber;
      model.send({ type: "click", trace: point.curveNumber, point: index,
        x: typeof point.x === "string" ? point.x : Number.isFinite(point.x) ? point.x : null,
        y: typeof point.y === "string" ? point.y : Number.isFinite(point.y) ? point.y : null });
    });
    area.on("plotly_relayout", (change) => {
      if ("xaxis.range[0]" in change || "xaxis.range" in change) {
        const [low, high] = change["xaxis.range"] ?? [change["xaxis.range[0]"], change["xaxis.range[1]"]];
        if (Number.isFinite(low) && Number.isFinite(high)) model.send({ type: "range", limits: [low, high] });
      } else if (change["xaxis.autorange"]) model.send({ type: "range", limits: null });
    });
    area.on("plotly_afterplot", mark);
    let down = null;
    area.addEventListener("pointerdown", (event) => { down = [event.clientX, event.clientY]; }, true);
    area.addEventListener("click", (event) => {  // not pointerup: plotly covers the page while a button is down
      if (!down || Math.hypot(event.clientX - down[0], event.clientY - down[1]) > 4) return;
      const x = coordinate(event);
      if (x !== null) model.send({ type: "place", x });
    }, true);
  }

  function coordinate(event) {
    const box = area.getBoundingClientRect(), frame = area._fullLayout?._size, along = axis();
    if (!frame || !along || typeof along.p2l !== "function" || along.type === "category") return null;
    const x = event.clientX - box.left - frame.l, y = event.clientY - box.top - frame.t;
    if (x < 0 || x > frame.w || y < 0 || y > frame.h) return null;
    const value = along.p2l(event.clientX - box.left - along._offset);
    return Number.isFinite(value) ? value : null;
  }

  // ---- lines at a redshift, and the axis of rest wavelengths
  function mark() {
    marks.replaceChildren();
    grip.hidden = true;
    const list = lines(), frame = area._fullLayout?._size, along = axis();
    if (!hasLines() || !frame || !along) return;
    marks.setAttribute("width", area.clientWidth);
    marks.setAttribute("height", area.clientHeight);
    marks.classList.toggle("draggable", list.draggable);
    const top = frame.t, bottom = frame.t + frame.h, left = along._offset, right = left + along._length;
    const at = (wave) => left + along.l2p(wave);
    const [low, high] = along.range;

    // rest wavelengths, just above the panels
    const step = niceStep((high - low) / (1 + z), Math.max(3, along._length / 90));
    drawn(marks, "line", { class: "tick", x1: left, x2: right, y1: top - 1, y2: top - 1 });
    for (let wave = Math.ceil(low / (1 + z) / step) * step; wave <= high / (1 + z); wave += step) {
      const x = at(wave * (1 + z));
      drawn(marks, "line", { class: "tick", x1: x, x2: x, y1: top - 5, y2: top - 1 });
      drawn(marks, "text", { x, y: top - 8, "text-anchor": "middle" }, String(Math.round(wave * 10) / 10));
    }
    drawn(marks, "text", { x: left - 6, y: top - 8, "text-anchor": "end" }, "rest Å");

    // lines, their names turned upright above that axis
    const inside = list.rest.map((rest, i) => ({ i, x: at(rest * (1 + z)) })).filter(({ x }) => x >= left && x <= right);
    inside.sort((a, b) => a.x - b.x);
    const gap = Math.min(13, along._length / Math.max(1, inside.length));
    const places = spread(inside.map(({ x }) => x), gap, left, right);
    inside.forEach(({ i, x }, n) => {
      const group = drawn(marks, "g", {});
      drawn(group, "line", { class: "line", x1: x, x2: x, y1: top, y2: bottom });
      drawn(group, "path", { class: "leader", d: `M${x} ${top - 20} L${places[n]} ${top - 30}` });
      if (gap > 7) {
        drawn(group, "text", { class: "name", x: places[n], y: top - 32, transform: `rotate(-90 ${places[n]} ${top - 32})`, dy: "0.35em" },
          list.names[i].length > 14 ? list.names[i].slice(0, 13) + "…" : list.names[i]);
      }
      drawn(group, "line", { class: "grip", x1: x, x2: x, y1: top - 24, y2: top + 8 });
      if (list.draggable) group.addEventListener("pointerdown", (event) => begin(event, list.rest[i]));
    });
    grip.hidden = !list.draggable;
    grip.textContent = `z = ${z.toFixed(z < 0.1 ? 5 : 4)}`;
    grip.setAttribute("aria-valuenow", z.toFixed(5));
    grip.setAttribute("aria-valuemin", list.limits[0]);
    grip.setAttribute("aria-valuemax", list.limits[1]);
  }

  function move(next, done) {
    const [low, high] = lines().limits;
    z = Math.min(high, Math.max(low, next));
    mark();
    clearTimeout(later);
    const send = () => { lastSent = performance.now(); model.send({ type: "redshift", z, done }); };
    if (done || performance.now() - lastSent > 60) send();
    else later = setTimeout(send, 60);
  }

  function begin(event, rest) {
    event.preventDefault();
    event.stopPropagation();
    const redshift = (moving) => {
      const along = axis(), box = area.getBoundingClientRect();
      return along.p2l(moving.clientX - box.left - along._offset) / rest - 1;
    };
    dragging = { drag: (moving) => move(redshift(moving), false),
      drop: (moving) => { release(); move(redshift(moving), true); },
      cancel: () => { release(); move(z, true); } };
    window.addEventListener("pointermove", dragging.drag);
    window.addEventListener("pointerup", dragging.drop);
    window.addEventListener("pointercancel", dragging.cancel);
  }

  function release() {
    if (!dragging) return;
    window.removeEventListener("pointermove", dragging.drag);
    window.removeEventListener("pointerup", dragging.drop);
    window.removeEventListener("pointercancel", dragging.cancel);
    dragging = null;
  }

  grip.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    move(z + way * (event.shiftKey ? 0.005 : 0.0002), true);
  });

  // Zooming without a mouse: + and - about the middle, Shift and arrows along the axis, Home for all.
  area.addEventListener("keydown", (event) => {
    const along = axis();
    if (!shown || !along || along.type === "category" || event.ctrlKey || event.metaKey || event.altKey || event.target !== area) return;
    const [low, high] = along.range, half = (high - low) / 2, middle = (low + high) / 2;
    const limits = { "+": [middle - half / 2, middle + half / 2], "-": [middle - 2 * half, middle + 2 * half],
      ArrowLeft: event.shiftKey && [low - half / 2, high - half / 2],
      ArrowRight: event.shiftKey && [low + half / 2, high + half / 2] }[event.key];
    if (!limits && event.key !== "Home") return;
    event.preventDefault();
    event.stopPropagation();
    library.relayout(area, limits ? { "xaxis.range": limits } : { "xaxis.autorange": true });
  });

  // ---- what changes
  const describe = () => { said.textContent = model.get("description"); area.setAttribute("aria-label", model.get("description")); };
  const figureChanged = () => inTurn(paint);
  let hadLines = false;
  const marksChanged = () => {
    if (!dragging) z = lines()?.z ?? 0;
    if (hasLines() !== hadLines) { hadLines = hasLines(); inTurn(paint); } else if (shown) mark();
  };
  const message = (content, buffers) => inTurn(() => changed(content, buffers));
  const repaint = () => inTurn(paint);
  z = lines()?.z ?? 0;
  hadLines = hasLines();
  describe();
  area.style.minHeight = `${model.get("height")}px`;
  model.on("change:description", describe);
  model.on("change:figure", figureChanged);
  model.on("change:height", figureChanged);
  model.on("change:marks", marksChanged);
  model.on("msg:custom", message);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", repaint);
  window.addEventListener("racnet-theme", repaint);
  let width = 0;
  const sized = new ResizeObserver(() => {
    if (Math.abs(root.clientWidth - width) < 1) return;
    width = root.clientWidth;
    if (shown && width > 0) inTurn(() => library.Plots.resize(area));
  });
  sized.observe(root);
  inTurn(paint);

  return () => {
    alive = false;
    release();
    sized.disconnect();
    dark.removeEventListener("change", repaint);
    window.removeEventListener("racnet-theme", repaint);
    model.off("change:description", describe);
    model.off("change:figure", figureChanged);
    model.off("change:height", figureChanged);
    model.off("change:marks", marksChanged);
    model.off("msg:custom", message);
    if (shown) library.purge(area);
  };
}

export default { render };
