// Listens for single keys and shows the table of them.

const NAMES = { ArrowRight: "→", ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓", " ": "Space" };
const TYPING = "input:not([type=checkbox]):not([type=radio]):not([type=button]), textarea, select, [contenteditable='true'], [role=slider], [role=listbox]";

function render({ model, el }) {
  const box = Object.assign(document.createElement("details"), { className: "rn-keys" });
  box.append(Object.assign(document.createElement("summary"), { textContent: "Keys (press ? to show)" }));
  const table = document.createElement("table");
  box.append(table);
  el.append(box);

  const show = () => {
    table.replaceChildren(...model.get("table").map(([key, words]) => {
      const row = document.createElement("tr"), name = document.createElement("th");
      name.scope = "row";
      name.append(Object.assign(document.createElement("kbd"), { textContent: NAMES[key] ?? key }));
      row.append(name, Object.assign(document.createElement("td"), { textContent: words }));
      return row;
    }));
  };
  const pressed = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || !el.isConnected) return;
    const target = event.composedPath()[0];
    if (target instanceof Element && target.closest(TYPING)) return;
    if ((event.key === " " || event.key === "Enter") && target instanceof Element && target.closest("button, a, summary, input")) return;
    if (event.key === "?") { box.open = !box.open; event.preventDefault(); return; }
    if (!model.get("table").some(([key]) => key === event.key)) return;
    event.preventDefault();
    model.send({ type: "key", key: event.key });
  };
  show();
  model.on("change:table", show);
  document.addEventListener("keydown", pressed);
  return () => { document.removeEventListener("keydown", pressed); model.off("change:table", show); };
}

export default { render };
