// Keeps every file of a build, so that the page opens without a network. `www/build.mjs` puts the list in.
//
// One cache for all builds: a file is kept under its address and the hash of its content, so an update fetches only what
// changed, and the old build stays whole until the new one is.
const FILES = /* path: hash */ {};
const CACHE = 'capas';

const key = (path) => new URL(`${path}?v=${FILES[path]}`, self.registration.scope).href;

async function fetchExact(path) {
  const response = await fetch(new URL(path, self.registration.scope), { cache: 'no-cache' });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  const body = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
  const hash = [...digest.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  // The server has moved on in the meantime: the next visit finds the newer worker.
  if (hash !== FILES[path]) throw new Error(`${path} is of another build`);
  const type = response.headers.get('content-type');
  return new Response(body, { headers: type ? { 'content-type': type } : {} });
}

self.addEventListener('install', (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    for (const path of Object.keys(FILES)) {
      if (!await cache.match(key(path))) await cache.put(key(path), await fetchExact(path));
    }
    await self.skipWaiting();
  })());
});

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    const wanted = new Set(Object.keys(FILES).map(key));
    for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request);
    await self.clients.claim();
  })());
});

self.addEventListener('fetch', (event) => {
  const { scope } = self.registration;
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || !`${url.origin}${url.pathname}`.startsWith(scope)) return;
  const path = `${url.origin}${url.pathname}`.slice(scope.length) || 'index.html';
  if (!Object.hasOwn(FILES, path)) return;
  event.respondWith((async () => {
    const kept = await (await caches.open(CACHE)).match(key(path));
    return kept ?? fetch(event.request);
  })());
});
