// Starts the program. What to load stands in the attributes of this script's own tag.
const { js, wasm, worker } = document.querySelector('script[data-wasm]').dataset;
const at = (name) => new URL(name, document.baseURI).href;

/** Embeds on one page share what is compiled: it is taken from a neighbour of the same origin that has it already. */
function neighbour(key) {
  if (parent === window) return undefined;
  for (let i = 0; i < parent.length; i += 1) {
    try {
      if (parent[i] !== window && parent[i][key]) return parent[i];
    } catch { /* of another origin */ }
  }
  return undefined;
}

async function compile(url, key) {
  const other = neighbour(key);
  if (other) {
    // A frame that is taken away never keeps its promise.
    const gone = new Promise((_, reject) => {
      const watch = setInterval(() => { if (other.closed) { clearInterval(watch); reject(new Error('gone')); } }, 200);
      other[key].then(() => clearInterval(watch), () => clearInterval(watch));
    });
    try { return await Promise.race([other[key], gone]); } catch { /* then by itself */ }
  }
  const load = () => fetch(url, { credentials: 'same-origin' });
  try { return await WebAssembly.compileStreaming(load()); } catch (error) {
    // A server that does not know the type of wasm files.
    if (!(error instanceof TypeError)) throw error;
    return WebAssembly.compile(await (await load()).arrayBuffer());
  }
}

/** The module at `url`; www/build/rest.js asks for its own too. */
window.capasModule = (url) => {
  const key = `capas ${url}`;
  window[key] ??= compile(url, key);
  return window[key];
};

const [program, module] = await Promise.all([import(at(js)), window.capasModule(at(wasm))]);
await program.default({ module_or_path: module });

// Only the page itself is installed, never a part of another one; and only once the program runs.
if (worker && parent === window && 'serviceWorker' in navigator && location.protocol.startsWith('http')) {
  const register = () => navigator.serviceWorker.register(at(worker)).catch((error) => console.warn('capas:', error));
  (window.requestIdleCallback ?? setTimeout)(register);
}
