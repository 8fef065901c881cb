// Sends chosen or dropped files in pieces, each answered by the kernel, and tells what became of each.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});
function crc32(bytes, before) {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

const size = (bytes) => (bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`);

function render({ model, el }) {
  const box = Object.assign(document.createElement("div"), { className: "rn-upload" });
  const input = Object.assign(document.createElement("input"), { type: "file", multiple: true, hidden: true, accept: model.get("accept") });
  const button = Object.assign(document.createElement("button"), { type: "button", className: "rn-button", textContent: model.get("label") });
  const hint = Object.assign(document.createElement("span"), { className: "rn-said",
    textContent: `or drop them here; ${model.get("accept").split(",").join(", ")}; at most ${size(model.get("max_bytes"))} each` });
  const list = Object.assign(document.createElement("ul"), { className: "rn-upload-list" });
  list.setAttribute("aria-live", "polite");
  box.append(button, input, hint, list);
  el.append(box);

  let waiting = null;
  const answer = (message) => {
    if (["go", "taken", "refused"].includes(message.type) && waiting) { const got = waiting; waiting = null; got(message); }
  };
  const ask = (message, buffers) => new Promise((resolve, reject) => {
    const silence = setTimeout(() => { waiting = null; reject(new Error("no answer from the server; is the connection up? Choose the file again")); }, 60000);
    waiting = (got) => { clearTimeout(silence); resolve(got); };
    model.send(message, undefined, buffers);
  });

  async function sent(file, line) {
    let reply = await ask({ type: "file", name: file.name, size: file.size });
    let offset = 0, crc = 0;
    const piece = model.get("piece");
    while (reply.type === "go") {
      const bytes = new Uint8Array(await file.slice(offset, offset + piece).arrayBuffer());
      const last = offset + bytes.length >= file.size;
      crc = crc32(bytes, crc);
      line.textContent = `${file.name}: ${Math.round((100 * (offset + bytes.length)) / file.size)} % of ${size(file.size)}`;
      reply = await ask({ type: "piece", offset, last, crc }, [bytes]);
      offset += bytes.length;
    }
    return reply;
  }

  async function send(files) {
    button.disabled = true;
    list.replaceChildren();
    model.send({ type: "begin", count: files.length });
    for (const file of files) {
      const line = document.createElement("li");
      line.textContent = file.name;
      list.append(line);
      try {
        const reply = await sent(file, line);
        line.className = reply.type;
        line.textContent = reply.type === "taken" ? `✓ ${reply.name}: ${size(reply.size)}, SHA-256 ${reply.sha256.slice(0, 12)}…`
          : `Refused: ${file.name}: ${reply.reason}`;
      } catch (error) {
        line.className = "refused";
        line.textContent = `Refused: ${file.name}: ${error.message}`;
      }
    }
    model.send({ type: "end" });
    input.value = "";
    button.disabled = false;
  }

  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => input.files.length && send([...input.files]));
  for (const name of ["dragover", "dragleave", "drop"]) {
    box.addEventListener(name, (event) => { event.preventDefault(); box.classList.toggle("over", name === "dragover"); });
  }
  box.addEventListener("drop", (event) => { if (event.dataTransfer.files.length && !button.disabled) send([...event.dataTransfer.files]); });
  model.on("msg:custom", answer);
  return () => model.off("msg:custom", answer);
}

export default { render };
