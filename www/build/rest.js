// The rest of the program (www/build/split.mjs): it is fetched once the first part runs. A call that needs it before it
// is there fetches it at once, and the page waits: WebAssembly knows no other way to come back to the caller.
const REST = new URL(REST_FILE, import.meta.url);
let ahead;

// An installed page has the rest at hand and may be without a network, which a call that cannot wait would need: a service
// worker does not answer those. So it begins with both.
async function restAhead() {
  if (navigator.serviceWorker?.controller) ahead = await window.capasModule(REST.href).catch(() => undefined);
}

function tieRest(first, imports) {
  const all = { ...imports, first };
  let there = false, tell;
  // What is not needed for the prompt waits for this (src/ui/rest.rs).
  globalThis.capasWhole = new Promise((done) => { tell = done; });
  const arrived = (instantiated) => { there ||= Boolean(instantiated); if (there) tell(); };
  if (ahead) arrived(new WebAssembly.Instance(ahead, all));
  // www/boot.js compiles it, once for all embeds of a page.
  const inBackground = () => window.capasModule(REST.href)
    .then((module) => { if (!there) arrived(new WebAssembly.Instance(module, all)); })
    .catch((error) => { console.warn('capas: the rest of the program did not come yet:', error); tell(); });
  const now = () => {
    const request = new XMLHttpRequest();
    request.open('GET', REST, false);
    request.overrideMimeType('text/plain; charset=x-user-defined');
    request.send();
    if (request.status !== 200 && request.status !== 0) throw new Error(`${REST}: ${request.status}`);
    const bytes = Uint8Array.from(request.responseText, (character) => character.charCodeAt(0) & 255);
    arrived(new WebAssembly.Instance(new WebAssembly.Module(bytes), all));
  };
  globalThis.capasRest = (needed) => {
    if (there) return;
    if (needed) now();
    else inBackground();
  };
}
