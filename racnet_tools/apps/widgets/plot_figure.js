// What a figure sent by Python becomes for plotly.js: arrays unpacked, colours those of the page.
// Shared by the widget (plot_view.js) and by the first paint of a served page (server/template).

const FLOAT = { f4: Float32Array, f8: Float64Array, i1: Int8Array, i2: Int16Array, i4: Int32Array,
                u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };

// ---- arrays: {dtype, shape, buffer} into typed arrays; matrices into rows of them
function bytesOf(buffer) {
  if (typeof buffer === "string") return Uint8Array.from(atob(buffer), (sign) => sign.charCodeAt(0));
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).slice();
}

function unpacked(value, buffers) {
  if (Array.isArray(value)) return value.map((item) => unpacked(item, buffers));
  if (!value || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  if (value.dtype && value.shape && "buffer" in value) {
    const flat = new FLOAT[value.dtype](bytesOf(buffers ? buffers[value.buffer] : value.buffer).buffer);
    if (value.shape.length === 0) return flat[0];
    if (value.shape.length === 1) return flat;
    const [rows, width] = value.shape;
    return Array.from({ length: rows }, (_, row) => flat.subarray(row * width, (row + 1) * width));
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unpacked(item, buffers)]));
}

// ---- colours: those of the page; the palette's own are exchanged for their partners on a dark page
// A colour that a style sheet's variable stands for, as [r, g, b], and as text.
function colour(element, name, otherwise) {
  const probe = Object.assign(document.createElement("span"), { hidden: true });
  probe.style.color = `var(${name}, ${otherwise})`;
  element.append(probe);
  const text = getComputedStyle(probe).color;
  probe.remove();
  return text;
}

function isDark(element) {
  const [r, g, b] = (colour(element, "--jp-layout-color1", "#ffffff").match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  return 0.3 * r + 0.59 * g + 0.11 * b < 110;
}

function exchanged(value, partners) {
  if (typeof value === "string") {
    if (value.length > 40) return value;
    if (value[0] === "#") return partners.get(value.toLowerCase()) ?? value;
    const parts = value.match(/^rgba\((\d+),\s*(\d+),\s*(\d+),\s*([\d.]+)\)$/);
    if (!parts) return value;
    const hex = "#" + parts.slice(1, 4).map((n) => Number(n).toString(16).padStart(2, "0")).join("");
    const other = partners.get(hex);
    if (!other) return value;
    const [r, g, b] = other.slice(1).match(/../g).map((two) => parseInt(two, 16));
    return `rgba(${r},${g},${b},${Math.min(1, 1.6 * parts[4])})`;
  }
  if (Array.isArray(value)) return value.map((item) => exchanged(item, partners));
  if (!value || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, exchanged(item, partners)]));
}

function dressed(figure, element, height, partners, room) {
  const ink = colour(element, "--jp-ui-font-color1", "#1c2430"), paper = colour(element, "--jp-layout-color1", "#ffffff");
  const faint = colour(element, "--jp-border-color2", "#d6dbe3");
  const dark = isDark(element);
  const { data, layout } = dark ? exchanged(figure, partners) : figure;
  const axes = {};
  for (const key of Object.keys(layout)) {
    if (/^[xyz]axis\d*$/.test(key)) {
      axes[key] = { linecolor: ink, tickcolor: ink, gridcolor: faint, zerolinecolor: faint, ...layout[key] };
      if (dark) Object.assign(axes[key], { linecolor: ink, tickcolor: ink, gridcolor: faint, zerolinecolor: faint });
    }
  }
  const margin = { ...(layout.margin ?? {}) };
  if (room) margin.t = Math.max(margin.t ?? 0, room);
  return { data, layout: { ...layout, ...axes, margin, autosize: true, height: layout.height ?? height,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 13, ...(layout.font ?? {}), color: ink },
    hoverlabel: { bgcolor: paper, font: { color: ink }, namelength: -1,
      ...(layout.hoverlabel ?? {}) },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: faint, activecolor: ink } } };
}

function niceStep(span, count) {
  const raw = span / count, power = 10 ** Math.floor(Math.log10(raw));
  return power * [1, 2, 5, 10].find((n) => n * power >= raw);
}
