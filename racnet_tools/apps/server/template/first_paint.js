// Draws the first figure of a dashboard while everything else is still loading; plot_figure.js and sketch.js stand
// before this text. The live widget takes its place as soon as it has drawn the same figure. A link to another view
// waits for that.

(() => {
  globalThis.racnetSeen();
  if (location.hash.length > 1) return;
  const first = JSON.parse(document.getElementById("racnet-first-figure").textContent);
  const cover = Object.assign(document.createElement("section"), { id: "racnet-first" });
  const columns = document.createElement("div"), area = document.createElement("div");
  const waiting = Object.assign(document.createElement("p"), { textContent: "Starting the controls…" });
  waiting.setAttribute("role", "status");
  area.setAttribute("role", "img");
  area.setAttribute("aria-label", first.plot.description);
  Object.assign(area.style, { minWidth: "0", display: "block", padding: "0" });
  columns.append(waiting, area);
  cover.append(Object.assign(document.createElement("h1"), { textContent: first.title }), columns);
  document.body.append(cover);
  const done = () => { cover.remove(); globalThis.racnetFirstPaintDone = undefined; };
  globalThis.racnetFirstPaintDone = done;
  setTimeout(done, 90000);

  const { figure, height, room, on_dark } = first.plot;
  try {
    const canvas = document.createElement("canvas");
    area.append(canvas);
    sketch(canvas, dressed(unpacked(figure), area, height, new Map(Object.entries(on_dark)), room), area.clientWidth);
  } finally {
    // The second frame begins when the first one is on the screen.
    requestAnimationFrame(() => requestAnimationFrame(() => { cover.dataset.painted = "1"; }));
  }
})();
