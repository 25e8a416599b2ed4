// Decks for reveal.js 3.8, 4 and 5 that know nothing of Capas but one script tag. Served by routes under deck-test/.
import fs from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html; charset=utf-8', '.md': 'text/markdown; charset=utf-8' };

const SLIDES = `<section data-markdown="deck.md" data-separator="^\\r?\\n------\\r?\\n$"
  data-separator-vertical="^\\r?\\n\\^\\^\\^\\^\\^\\^\\r?\\n$" data-separator-notes="^notes:"></section>`;
const page = (head, foot) => `<!DOCTYPE html><html lang="es"><head><meta charset="utf-8"><title>Curso</title>
  <link rel="icon" href="data:,">${head}</head>
  <body><div class="reveal"><div class="slides">${SLIDES}</div></div>${foot}
  <script src="../../capas-reveal.js"></script></body></html>`;

const MODERN = page(
  '<link rel="stylesheet" href="reveal/dist/reveal.css"><link rel="stylesheet" href="reveal/dist/theme/white.css">',
  `<script src="reveal/dist/reveal.js"></script><script src="reveal/plugin/markdown/markdown.js"></script>
  <script src="reveal/plugin/notes/notes.js"></script><script src="reveal/plugin/highlight/highlight.js"></script>
  <script>Reveal.initialize({ hash: true, transition: 'none', plugins: [RevealMarkdown, RevealNotes, RevealHighlight] });</script>`,
);
const OLD = page(
  '<link rel="stylesheet" href="reveal/css/reveal.css"><link rel="stylesheet" href="reveal/css/theme/black.css">',
  `<script src="reveal/js/reveal.js"></script>
  <script>Reveal.initialize({ hash: true, transition: 'none', dependencies: [{ src: 'reveal/plugin/markdown/marked.js' },
    { src: 'reveal/plugin/markdown/markdown.js' }, { src: 'reveal/plugin/notes/notes.js', async: true },
    { src: 'reveal/plugin/highlight/highlight.js', async: true }] });</script>`,
);

/** The versions of reveal.js that decks are tested with. */
export const VERSIONS = {
  3.8: { folder: 'reveal3', html: OLD },
  4: { folder: 'reveal4', html: MODERN },
  5: { folder: 'reveal.js', html: MODERN },
};

/** Makes `deck-test/<version>/` a deck of that version of reveal, in all windows of the context. */
export async function serveDeck(context, version, { crlf = false } = {}) {
  const { folder, html } = VERSIONS[version];
  await context.route(`**/deck-test/${version}/**`, (route) => {
    const name = decodeURIComponent(new URL(route.request().url()).pathname.split(`/deck-test/${version}/`)[1]);
    if (name === '') return route.fulfill({ contentType: TYPES['.html'], body: html });
    if (name === 'deck.md') {
      const text = fs.readFileSync(path.join(root, 'tests/decks/course.md'), 'utf8');
      return route.fulfill({ contentType: TYPES['.md'], body: crlf ? text.replaceAll('\n', '\r\n') : text });
    }
    let body = fs.readFileSync(path.join(root, 'node_modules', folder, name.replace(/^reveal\//, '')));
    // The themes' fonts are on servers that tests can't reach.
    if (name.endsWith('.css')) body = body.toString().replace(/@import (?:url\()?[^;]*;/g, '');
    return route.fulfill({ contentType: TYPES[path.extname(name)] ?? 'application/octet-stream', body });
  });
  return `deck-test/${version}/`;
}
