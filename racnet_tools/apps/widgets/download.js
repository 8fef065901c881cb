// A button; the kernel's answer becomes a file.

function render({ model, el }) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "rn-button" });
  const said = Object.assign(document.createElement("span"), { className: "rn-said" });
  said.setAttribute("role", "status");
  el.append(button, said);
  const label = () => { button.textContent = model.get("label"); };
  const answer = (message, buffers) => {
    button.disabled = false;
    if (message.type === "refused") { said.textContent = message.reason; return; }
    if (message.type !== "file") return;
    said.textContent = `${message.name}: ${(buffers[0].byteLength / 1000).toFixed(1)} kB`;
    const address = URL.createObjectURL(new Blob([buffers[0]], { type: "application/octet-stream" }));
    const link = Object.assign(document.createElement("a"), { href: address, download: message.name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  };
  button.addEventListener("click", () => { button.disabled = true; said.textContent = "…"; model.send({ type: "wanted" }); });
  label();
  model.on("change:label", label);
  model.on("msg:custom", answer);
  return () => { model.off("change:label", label); model.off("msg:custom", answer); };
}

export default { render };
