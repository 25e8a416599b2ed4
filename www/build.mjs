// The last step of a build (a hook of Trunk.toml): what embeds, installs and carries the page away is made from the page.
//
//   capas-sandbox.js, capas-reveal.js   the custom element and the plugin for slides, one script each
//   embed.html                          the page for frames
//   demo/                               a page for each way of embedding; the deck with reveal.js from npm
//   *_rest.wasm                         the part of the program that comes once the prompt is there (release only)
//   sw.js                               the service worker with the list of the build's files (release only)
//   capas.html                          all of it in one file, which runs from file:// (release only)
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import zlib from 'node:zlib';
import { splitPage, strip } from './build/split.mjs';

const www = import.meta.dirname;
const out = process.env.TRUNK_STAGING_DIR ?? path.resolve(process.argv[2] ?? 'dist');
const isRelease = (process.env.TRUNK_PROFILE ?? 'release') === 'release';
const read = (...name) => fs.readFileSync(path.join(...name), 'utf8');
const write = (name, content) => {
  fs.mkdirSync(path.dirname(path.join(out, name)), { recursive: true });
  fs.writeFileSync(path.join(out, name), content);
};
const files = (folder) => fs.readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)).split(path.sep).join('/'))
  .sort();

/** Modules as one classic script: each imports only those before it. */
function bundle(names) {
  const parts = names.map((name) => read(www, 'embed', name)
    .replace(/^import [^;]*;\n/gm, '')
    .replace(/^export (?=const|function|class|async)/gm, ''));
  const script = `(() => {\n'use strict';\n${parts.join('\n')}})();\n`;
  // Names of two modules that clash are found here, not in a classroom.
  new vm.Script(script, { filename: names[names.length - 1] });
  return script;
}

write('capas-sandbox.js', bundle(['client.js', 'element.js']));
write('capas-reveal.js', bundle(['client.js', 'element.js', 'blocks.js', 'reveal.js']));

// In frames the program comes from a neighbour that has it: asking for it at once would fetch it in vain.
write('embed.html', read(out, 'index.html').replace(/<link[^>]*rel="preload"[^>]*>/g, ''));

// --- the demo pages ---

for (const name of files(path.join(www, 'demo'))) write(`demo/${name}`, fs.readFileSync(path.join(www, 'demo', name)));
const reveal = path.join(www, '../node_modules/reveal.js');
if (fs.existsSync(reveal)) {
  for (const name of ['dist/reveal.js', 'dist/reset.css', 'dist/reveal.css', 'dist/theme/black.css', 'dist/theme/white.css',
    'plugin/markdown/markdown.js', 'plugin/notes/notes.js', 'plugin/highlight/highlight.js', 'plugin/highlight/monokai.css', 'LICENSE']) {
    // The themes name web fonts that a demo without a network can't have.
    const text = read(reveal, name).replace(/@import (?:url\()?[^;]*;/g, '');
    write(`demo/reveal/${path.basename(name)}`, text);
  }
}

if (isRelease) {
  // ./dev profile looks at the program in one piece, with its names.
  const whole = path.resolve(www, '../target/whole');
  fs.rmSync(whole, { recursive: true, force: true });
  fs.cpSync(out, whole, { recursive: true });
  writeSingleFile();
  splitPage(out);
  writeWorker();
}

// --- the service worker ---

function writeWorker() {
  const start = read(out, 'index.html');
  write('index.html', start.replace(/(<script[^>]*data-wasm="[^"]*")/, '$1 data-worker="./sw.js"'));
  const isApart = (name) => /^(?:sw\.js|capas\.html|capas-sandbox\.js|capas-reveal\.js|demo\/)/.test(name);
  const list = Object.fromEntries(files(out).filter((name) => !isApart(name)).map((name) => {
    const digest = crypto.createHash('sha256').update(fs.readFileSync(path.join(out, name))).digest('hex');
    return [name, digest.slice(0, 16)];
  }));
  write('sw.js', read(www, 'sw.js').replace(/\/\* path: hash \*\/ \{\}/, () => JSON.stringify(list, null, 1)));
}

// --- one file ---

function writeSingleFile() {
  const page = read(out, 'index.html');
  const tag = page.match(/<script[^>]*data-wasm="[^"]*"[^>]*><\/script>/)?.[0];
  const attribute = (name) => tag?.match(new RegExp(`data-${name}="([^"]*)"`))?.[1].replace(/^\.\//, '');
  if (!tag) throw new Error('index.html has no script with data-wasm');
  const program = read(out, attribute('js')).replace(/^export \{[^}]*__wbg_init as default[^}]*\};?\s*$/m, '');
  if (/^(?:import|export)\s/m.test(program)) throw new Error('the program imports or exports more than one file can hold');
  const wasm = zlib.gzipSync(strip(fs.readFileSync(path.join(out, attribute('wasm')))), { level: 9 }).toString('base64');

  // What the page would fetch while it runs: lessons and the like.
  const isData = (name) => /\.(?:md|json|txt|svg)$/.test(name) && !/^(?:demo|icons)\/|^favicon/.test(name);
  const carried = Object.fromEntries(files(out).filter(isData).map((name) => [name, read(out, name)]));
  const json = JSON.stringify(carried).replace(/</g, '\\u003c');

  const styles = [];
  let head = page.replace(tag, '').replace(/<link[^>]*rel="stylesheet"[^>]*>/g, (link) => {
    styles.push(read(out, link.match(/href="(?:\.\/)?([^"]*)"/)[1]));
    return '';
  });
  const favicon = head.match(/<link[^>]*rel="icon"[^>]*href="(?:\.\/)?([^"]*)"/)?.[1];
  const icon = favicon ? `<link rel="icon" href="data:image/svg+xml;base64,${Buffer.from(read(out, favicon)).toString('base64')}">` : '';
  head = head.replace(/<link[^>]*rel="(?:modulepreload|preload|manifest|icon|apple-touch-icon)"[^>]*>/g, '')
    .replace(/<meta[^>]*http-equiv="Content-Security-Policy"[^>]*>/gi, '');
  const script = read(www, 'single.js').replace('/* program */', () => program).replace(/<\/script/gi, '<\\/script');
  const style = styles.join('\n');
  const hash = (text) => `'sha256-${crypto.createHash('sha256').update(text).digest('base64')}'`;
  const policy = `default-src 'none'; script-src ${hash(script)} 'wasm-unsafe-eval'; style-src ${hash(style)}; `
    + "img-src data: blob:; font-src data:; frame-src blob: data: 'self'; base-uri 'none'; form-action 'none'";
  head = head.replace(/<meta charset="utf-8">/, (charset) => `${charset}
    <meta http-equiv="Content-Security-Policy" content="${policy}">`);
  head = head.replace('</head>', () => `${icon}<style>${style}</style>\n</head>`);
  // The program comes last: what it needs is then in the document.
  const single = head.replace(/<\/body>/, () => `<script type="text/plain" id="capas-wasm">${wasm}</script>
<script type="application/json" id="capas-files">${json}</script>
<script type="module">${script}</script>
</body>`);
  write('capas.html', single);
}
