// The page in one file: nothing is fetched, and nothing may be, since it is opened from file://.
const text = (id) => { const tag = document.getElementById(id); const kept = tag.textContent; tag.remove(); return kept; };
const files = JSON.parse(text('capas-files'));

// The program asks for its lessons by fetch: they are in this file.
window.fetch = async (request) => {
  const url = new URL(typeof request === 'string' ? request : request.url ?? request, document.baseURI);
  const folder = new URL('./', document.baseURI).href;
  const name = url.href.startsWith(folder) ? decodeURIComponent(url.href.slice(folder.length).replace(/[?#].*/, '')) : '';
  if (!Object.hasOwn(files, name)) return new Response('', { status: 404, statusText: 'Not Found' });
  return new Response(files[name], { headers: { 'content-type': 'text/plain; charset=utf-8' } });
};

/* program */

const coded = atob(text('capas-wasm'));
const bytes = new Uint8Array(coded.length);
for (let at = 0; at < coded.length; at += 1) bytes[at] = coded.charCodeAt(at);
const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
const program = new Response(unpacked, { headers: { 'content-type': 'application/wasm' } });
await __wbg_init({ module_or_path: await WebAssembly.compileStreaming(program) });
