// What a visitor downloads before the page works, compressed as a good host would, against the budget that stands in
// package.json (capas.budgetBrotliBytes): it only ever goes down, towards capas.goalBrotliBytes.
//
//   node tests/size-budget.mjs [FOLDER]
//
// Counts index.html and, beginning there, every file of the folder whose name a counted text file mentions. Files that
// nothing mentions are listed, not counted.
import fs from 'node:fs';
import path from 'node:path';
import { brotli } from './browser/serve.mjs';

const root = process.argv[2] ?? 'dist';
const { budgetBrotliBytes: budget, goalBrotliBytes: goal } =
  JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url))).capas;

const all = fs.readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
const loaded = [path.join(root, 'index.html')];
for (const file of loaded) {
  if (!/\.(html|m?js|css|webmanifest)$/.test(file)) continue;
  const text = fs.readFileSync(file, 'utf8');
  for (const other of all) if (!loaded.includes(other) && text.includes(path.basename(other))) loaded.push(other);
}

let sum = 0;
const line = (bytes, raw, name) => console.log(`${String(bytes).padStart(9)} ${String(raw).padStart(9)}  ${name}`);
console.log('   brotli       raw');
for (const file of loaded.sort()) {
  const bytes = fs.readFileSync(file);
  const size = brotli(bytes).length;
  sum += size;
  line(size, bytes.length, path.relative(root, file));
}
line(sum, '', `of ${budget} bytes`);
const rest = all.filter((file) => !loaded.includes(file)).map((file) => path.relative(root, file));
if (rest.length) console.log(`not loaded by the page: ${rest.join(', ')}`);
if (sum > goal) console.log(`still ${sum - goal} bytes above the goal of ${goal}`);
if (sum > budget) {
  console.error(`over the budget by ${sum - budget} bytes`);
  process.exit(1);
}
