// What a visitor downloads, compressed as a good host would, against the budgets that stand in package.json: until the
// prompt takes keys (capas.startBudgetBrotliBytes), and in all (capas.budgetBrotliBytes, on the way to goalBrotliBytes).
//
//   node tests/size-budget.mjs [FOLDER]
//
// Counts index.html and what it names in `src`, `href` and `data-js`, `data-wasm`, and what scripts among these import. The
// service worker fetches nothing that the page has not fetched already but icons, once the page works: it and what only it
// names are listed, not counted. So are embeds, demo pages and the edition in one file.
import fs from 'node:fs';
import path from 'node:path';
import { brotli } from './browser/serve.mjs';

const root = process.argv[2] ?? 'dist';
const { startBudgetBrotliBytes: startBudget, budgetBrotliBytes: budget, goalBrotliBytes: goal } =
  JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url))).capas;

const all = fs.readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
const loaded = [path.join(root, 'index.html')];
const NAMES = {
  '.html': /\s(?:src|href|data-js|data-wasm)="(?:\.\/)?([^":]+)"/g,
  // Imports, and the program's second part.
  '.js': /(?:(?:^|[;\n])\s*(?:import|export)\s[^;'"]*?['"](?:\.\/)?|"(?=[^"]*_rest\.wasm"))([^'"]+)['"]/g,
  '.css': /(?:url\(|@import )\s*['"]?(?:\.\/)?([^'")]+)/g,
};
for (const file of loaded) {
  const names = NAMES[path.extname(file)];
  if (!names) continue;
  // What a browser asks for only when it installs the page does not count.
  const text = fs.readFileSync(file, 'utf8').replace(/<link[^>]*rel="(?:manifest|apple-touch-icon)"[^>]*>/g, '');
  for (const [, name] of text.matchAll(names)) {
    const other = path.join(path.dirname(file), name);
    if (all.includes(other) && !loaded.includes(other)) loaded.push(other);
  }
}
if (!loaded.some((file) => file.endsWith('.wasm'))) {
  console.error('index.html leads to no program: what is counted here is not the page');
  process.exit(1);
}

let sum = 0, start = 0;
const line = (bytes, raw, name) => console.log(`${String(bytes).padStart(9)} ${String(raw).padStart(9)}  ${name}`);
console.log('   brotli       raw');
for (const file of loaded.sort()) {
  const bytes = fs.readFileSync(file);
  const size = brotli(bytes).length;
  sum += size;
  // The rest of the program comes once the prompt takes keys (www/build/split.mjs).
  if (!/_rest\.wasm$/.test(file)) start += size;
  line(size, bytes.length, path.relative(root, file));
}
line(start, '', `until the prompt takes keys, of ${startBudget}`);
line(sum, '', `in all, of ${budget}`);
const rest = all.filter((file) => !loaded.includes(file)).map((file) => path.relative(root, file));
if (rest.length) console.log(`not loaded at the start: ${rest.join(', ')}`);
if (sum > goal) console.log(`still ${sum - goal} bytes above the goal of ${goal}`);
if (sum > budget || start > startBudget) {
  console.error(`over the budget by ${Math.max(sum - budget, start - startBudget)} bytes`);
  process.exit(1);
}
