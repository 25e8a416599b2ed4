// What a visitor downloads, compressed as a good host would, against the budgets that stand in package.json: until the
// prompt takes keys (capas.startBudgetBrotliBytes), and in all (capas.budgetBrotliBytes, on the way to goalBrotliBytes).
//
//   node tests/size-budget.mjs [FOLDER]
//
// Counts index.html and, beginning there, every file of the folder whose name a counted text file mentions. Files that
// nothing mentions are listed, not counted.
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
for (const file of loaded) {
  if (!/\.(html|m?js|css|webmanifest)$/.test(file)) continue;
  const text = fs.readFileSync(file, 'utf8');
  for (const other of all) if (!loaded.includes(other) && text.includes(path.basename(other))) loaded.push(other);
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
if (rest.length) console.log(`not loaded by the page: ${rest.join(', ')}`);
if (sum > goal) console.log(`still ${sum - goal} bytes above the goal of ${goal}`);
if (sum > budget || start > startBudget) {
  console.error(`over the budget by ${Math.max(sum - budget, start - startBudget)} bytes`);
  process.exit(1);
}
