// Keeps the fragment of the page's address and the kernel's state together.

function render({ model, el }) {
  el.hidden = true;
  if (document.body.dataset.voila === undefined) return undefined;
  const said = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const put = () => {
    const parameters = new URLSearchParams(model.get("state")).toString();
    if (parameters !== location.hash.slice(1)) history.replaceState(null, "", parameters ? `#${parameters}` : location.pathname + location.search);
  };
  const arrive = () => model.send({ type: "arrive", state: said() });
  if (location.hash.length > 1) arrive(); else put();
  model.on("change:state", put);
  window.addEventListener("hashchange", arrive);
  return () => { window.removeEventListener("hashchange", arrive); model.off("change:state", put); };
}

export default { render };
