// A figure drawn on a canvas without plotly.js, which keeps a processor busy for a second or two before it can draw:
// lines, bands, heat maps, axes and words of the figures that dashboards begin with, where plotly.js will put them.

const VIRIDIS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];

function sketch(canvas, { data, layout }, width) {
  const height = layout.height, ratio = globalThis.devicePixelRatio || 1;
  Object.assign(canvas, { width: width * ratio, height: height * ratio });
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px`, display: "block" });
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const ink = layout.font.color, seen = data.filter((trace) => trace.visible !== false);
  const margin = { l: 80, r: 80, t: 100, b: 80, ...layout.margin };
  if (seen.some((trace) => trace.colorbar && trace.showscale)) margin.r += 62;
  const inner = { left: margin.l, top: margin.t, width: width - margin.l - margin.r, height: height - margin.t - margin.b };

  const words = (text, x, y, { align = "left", base = "alphabetic", size = layout.font.size, turned = false, color = ink } = {}) => {
    pen.save();
    pen.translate(x, y);
    if (turned) pen.rotate(-Math.PI / 2);
    Object.assign(pen, { font: `${size}px ${layout.font.family}`, fillStyle: color, textAlign: align, textBaseline: base });
    pen.fillText(String(text).replace(/<[^>]*>/g, ""), 0, 0);
    pen.restore();
  };

  // ---- axes: coordinate to pixel
  const along = (name) => layout[`${name[0]}axis${name.slice(1)}`] ?? {};
  const extent = (name) => {
    let low = Infinity, high = -Infinity;
    const take = (value) => { if (Number.isFinite(value)) { low = Math.min(low, value); high = Math.max(high, value); } };
    for (const trace of seen) {
      if ((trace[`${name[0]}axis`] ?? name[0]) !== name) continue;
      if (trace.type === "heatmap") [-0.5, (name[0] === "y" ? trace.z : trace.z[0]).length - 0.5].forEach(take);
      else trace[name[0]]?.forEach(take);
    }
    return along(name).autorange === "reversed" ? [high, low] : [low, high];
  };
  const axes = {};
  const axis = (name) => axes[name] ??= (() => {
    const given = along(name), [low, high] = given.range ?? extent(name), [from, to] = given.domain ?? [0, 1];
    const upright = name[0] === "y";
    const start = upright ? inner.top + inner.height * (1 - from) : inner.left + inner.width * from;
    const end = upright ? inner.top + inner.height * (1 - to) : inner.left + inner.width * to;
    return { given, low, high, start, end, at: (value) => start + ((value - low) / (high - low)) * (end - start) };
  })();
  const within = (x, y, draw) => {
    pen.save();
    pen.beginPath();
    pen.rect(x.start, y.end, x.end - x.start, y.start - y.end);
    pen.clip();
    draw();
    pen.restore();
  };

  // ---- bands below everything
  for (const shape of layout.shapes ?? []) {
    if (shape.type !== "rect" || !shape.fillcolor) continue;
    const place = (value, reference, whole) => reference === "paper" ? whole(value) : axis(reference.replace(" domain", "")).at(value);
    const x = [shape.x0, shape.x1].map((value) => place(value, shape.xref ?? "x", (v) => inner.left + v * inner.width));
    const y = [shape.y0, shape.y1].map((value) => place(value, shape.yref ?? "y", (v) => inner.top + (1 - v) * inner.height));
    within(axis("x"), { start: inner.top + inner.height, end: inner.top }, () => {
      pen.fillStyle = shape.fillcolor;
      pen.fillRect(x[0], Math.min(...y), x[1] - x[0], Math.abs(y[1] - y[0]));
    });
  }

  // ---- what is shown
  const colours = (scale) => Array.isArray(scale) ? scale : VIRIDIS.map((colour, i) => [i / (VIRIDIS.length - 1), colour]);
  const heat = (trace, x, y) => {
    const ramp = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    Object.assign(ramp.canvas, { width: 256, height: 1 });
    ramp.fillStyle = ramp.createLinearGradient(0, 0, 256, 0);
    for (const [place, colour] of colours(trace.colorscale)) ramp.fillStyle.addColorStop(place, colour);
    ramp.fillRect(0, 0, 256, 1);
    const shades = ramp.getImageData(0, 0, 256, 1).data;
    trace.z.forEach((row, j) => row.forEach((value, i) => {
      if (!Number.isFinite(value)) return;
      const k = 4 * Math.round(255 * Math.min(1, Math.max(0, (value - trace.zmin) / (trace.zmax - trace.zmin))));
      pen.fillStyle = `rgb(${shades[k]},${shades[k + 1]},${shades[k + 2]})`;
      const [left, right, top, bottom] = [x.at(i - 0.5), x.at(i + 0.5), y.at(j - 0.5), y.at(j + 0.5)];
      pen.fillRect(left, Math.min(top, bottom), right - left + 0.5, Math.abs(bottom - top) + 0.5);
    }));
    trace.y?.forEach((name, j) => words(name, x.start - 4, y.at(j), { align: "right", base: "middle", size: y.given.tickfont?.size }));
  };
  const lines = (trace, x, y) => {
    const path = new Path2D();
    let on = false;
    for (let i = 0; i < trace.x.length; i++) {
      const finite = Number.isFinite(trace.x[i]) && Number.isFinite(trace.y[i]);
      if (finite) path[on ? "lineTo" : "moveTo"](x.at(trace.x[i]), y.at(trace.y[i]));
      on = finite;
    }
    pen.globalAlpha = trace.opacity ?? 1;
    if (trace.fill === "toself") { pen.fillStyle = trace.fillcolor; pen.fill(path); }
    const wide = trace.line?.width ?? 2;
    if (wide > 0 && (trace.mode ?? "lines").includes("lines")) {
      Object.assign(pen, { strokeStyle: trace.line?.color ?? ink, lineWidth: wide, lineJoin: "round" });
      pen.stroke(path);
    }
    pen.globalAlpha = 1;
  };
  for (const trace of seen) {
    const x = axis(trace.xaxis ?? "x"), y = axis(trace.yaxis ?? "y");
    if (trace.type === "heatmap") heat(trace, x, y);
    else if (trace.type === "scatter" && trace.x?.length) within(x, y, () => lines(trace, x, y));
  }

  // ---- axes and words
  const bottom = inner.top + inner.height;
  const stroke = (x0, y0, x1, y1) => { pen.beginPath(); pen.moveTo(x0, y0); pen.lineTo(x1, y1); pen.stroke(); };
  Object.assign(pen, { strokeStyle: ink, lineWidth: 1 });
  for (const [name, { given, low, high, start, end, at }] of Object.entries(axes)) {
    const upright = name[0] === "y", size = given.tickfont?.size ?? layout.font.size;
    if (given.showline) upright ? stroke(inner.left, start, inner.left, end) : stroke(start, bottom, end, bottom);
    const middle = (start + end) / 2;
    if (given.title?.text) {
      if (upright) words(given.title.text, 16, middle, { align: "center", base: "middle", turned: true });
      else words(given.title.text, middle, bottom + 36, { align: "center" });
    }
    if (given.ticks !== "outside") continue;
    const step = niceStep(Math.abs(high - low), given.nticks ?? Math.max(2, Math.abs(end - start) / (upright ? 40 : 90)));
    for (let i = Math.ceil(Math.min(low, high) / step); i * step <= Math.max(low, high); i++) {
      const text = String(Number((i * step).toPrecision(6))).replace("-", "−"), place = at(i * step);
      if (upright) { stroke(inner.left - 5, place, inner.left, place); words(text, inner.left - 8, place, { align: "right", base: "middle", size }); }
      else { stroke(place, bottom, place, bottom + 5); words(text, place, bottom + 18, { align: "center", size }); }
    }
  }
  for (const note of layout.annotations ?? []) {
    if (note.xref !== "paper" || note.yref !== "paper") continue;
    words(note.text, inner.left + note.x * inner.width, inner.top + (1 - note.y) * inner.height - 4,
      { align: note.xanchor === "right" ? "right" : "left", size: note.font?.size });
  }
}
