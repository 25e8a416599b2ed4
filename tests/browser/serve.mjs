// A static server for dist/ that behaves as a good host would: brotli or gzip, right types, only this machine.
//
//   node tests/browser/serve.mjs [FOLDER] [--port N]
//
// What it serves is compressed once, on first request, and kept in memory until the file changes.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import zlib from 'node:zlib';
import { pathToFileURL } from 'node:url';

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css',
  '.wasm': 'application/wasm', '.json': 'application/json', '.svg': 'image/svg+xml', '.png': 'image/png',
  '.ico': 'image/x-icon', '.webmanifest': 'application/manifest+json', '.woff2': 'font/woff2',
  '.md': 'text/markdown; charset=utf-8', '.txt': 'text/plain; charset=utf-8',
};
const ALREADY_COMPRESSED = new Set(['.png', '.ico', '.woff2', '.gz', '.xz', '.zst']);

/** What a file weighs on the wire from a host that compresses ahead of time. */
export function brotli(bytes) {
  const c = zlib.constants;
  return zlib.brotliCompressSync(bytes, {
    params: { [c.BROTLI_PARAM_QUALITY]: 11, [c.BROTLI_PARAM_LGWIN]: 24, [c.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
}

const encoders = { br: brotli, gzip: (bytes) => zlib.gzipSync(bytes, { level: 9 }), identity: (bytes) => bytes };

/** Serves `folder` on 127.0.0.1; port 0 takes a free one; `compress: false` saves the time. Gives `{ url, close }`. */
export async function serve(folder, { port = 0, compress = true } = {}) {
  const root = path.resolve(folder);
  const kept = new Map();
  const server = http.createServer((request, response) => {
    let name;
    try { name = decodeURIComponent(new URL(request.url, 'http://localhost').pathname); } catch { name = '/'; }
    if (name.endsWith('/')) name += 'index.html';
    const file = path.join(root, name);
    const stat = file.startsWith(root + path.sep) ? fs.statSync(file, { throwIfNoEntry: false }) : undefined;
    if (!stat?.isFile()) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
      return;
    }
    const extension = path.extname(file);
    const accepted = request.headers['accept-encoding'] ?? '';
    const encoding = !compress || ALREADY_COMPRESSED.has(extension) ? 'identity'
      : /\bbr\b/.test(accepted) ? 'br' : /\bgzip\b/.test(accepted) ? 'gzip' : 'identity';
    const key = `${encoding} ${stat.mtimeMs} ${stat.size} ${file}`;
    let body = kept.get(key);
    if (!body) kept.set(key, body = encoders[encoding](fs.readFileSync(file)));
    const headers = {
      'content-type': TYPES[extension] ?? 'application/octet-stream',
      'content-length': body.length, 'cache-control': 'no-cache', vary: 'accept-encoding',
    };
    if (encoding !== 'identity') headers['content-encoding'] = encoding;
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${server.address().port}/`,
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const words = process.argv.slice(2);
  const at = words.indexOf('--port');
  const port = at < 0 ? 8081 : Number(words.splice(at, 2)[1]);
  const { url } = await serve(words[0] ?? 'dist', { port });
  console.log(url);
}
