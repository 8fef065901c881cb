// Title, links to the other dashboards (on their server only), light or dark.

const THEMES = ["auto", "light", "dark"];

function chosen() {
  try { return THEMES.includes(localStorage.getItem("racnet-theme")) ? localStorage.getItem("racnet-theme") : "auto"; }
  catch { return "auto"; }
}

function render({ model, el }) {
  const served = document.querySelector('meta[name="racnet-home"]')?.content;
  const head = Object.assign(document.createElement("header"), { className: "rn-masthead" });
  const title = Object.assign(document.createElement("h1"), { textContent: model.get("title") });
  head.append(title);
  if (served !== undefined) {
    document.title = `${model.get("title")} · RAC-Net`;
    const nav = document.createElement("nav");
    nav.setAttribute("aria-label", "Dashboards");
    nav.append(Object.assign(document.createElement("a"), { href: served, textContent: "Start" }));
    for (const [name, words] of model.get("places")) {
      const link = Object.assign(document.createElement("a"), { href: `${served}voila/render/${name}.ipynb`, textContent: words });
      if (words === model.get("title")) link.setAttribute("aria-current", "page");
      nav.append(link);
    }
    const label = Object.assign(document.createElement("label"), { textContent: "Colours " });
    const select = document.createElement("select");
    for (const theme of THEMES) select.append(Object.assign(document.createElement("option"), { value: theme, textContent: theme }));
    select.value = chosen();
    const apply = () => {
      document.documentElement.dataset.rnTheme = select.value;
      window.dispatchEvent(new Event("racnet-theme"));
    };
    select.addEventListener("change", () => {
      try { localStorage.setItem("racnet-theme", select.value); } catch { /* private windows keep nothing */ }
      apply();
    });
    label.append(select);
    head.append(nav, label);
    apply();
    watch(model, el);
  }
  el.append(head);
  return named();
}

// The handles of ipywidgets' sliders have no name of their own: they get that of their label.
function named() {
  const name = () => {
    for (const handle of document.querySelectorAll(".rn-app .noUi-handle:not([aria-label])")) {
      const label = handle.closest(".widget-slider, .jupyter-widget-slider, .widget-hslider, .widget-inline-hbox")?.querySelector(".widget-label");
      if (label?.textContent.trim()) handle.setAttribute("aria-label", label.textContent.trim());
    }
  };
  const added = new MutationObserver(name);
  added.observe(document.body, { childList: true, subtree: true });
  name();
  return () => added.disconnect();
}

// The server ends the kernels of pages that nobody used for long. Whoever comes back is told at the first touch.
function watch(model, el) {
  let heard = Date.now(), waiting = null;
  model.on("msg:custom", (message) => { if (message.type === "pong") { heard = Date.now(); clearTimeout(waiting); waiting = null; } });
  const touched = () => {
    if (waiting || Date.now() - heard < 60000) return;
    model.send({ type: "ping" });
    waiting = setTimeout(() => {
      const told = Object.assign(document.createElement("div"), { className: "rn-gone" });
      told.setAttribute("role", "alert");
      const again = Object.assign(document.createElement("button"), { type: "button", className: "rn-button", textContent: "Reload" });
      again.addEventListener("click", () => location.reload());
      told.append("The server has ended this page, which was not used for long. What you saved is kept, and the address keeps the view. ", again);
      el.append(told);
    }, 8000);
  };
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, touched, { capture: true });
}

export default { render };
