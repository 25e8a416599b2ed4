// The terminal against xterm.js, in the same run: how soon a key shows, and what 100,000 lines cost.
//
//   node tests/perf/terminal.mjs [FOLDER] [--keys N] [--lines N]
//
// Both pages are asked the same: a key is pressed, the clock stops when its letter is in the document. xterm.js only echoes,
// the page of Capas has its shell do it; and its lines come from `seq` in the machine, those of xterm.js from memory.
import fs from 'node:fs';
import http from 'node:http';
import { chromium } from '@playwright/test';
import { serve } from '../browser/serve.mjs';

const words = process.argv.slice(2);
function option(name, otherwise) {
  const at = words.indexOf(`--${name}`);
  return at < 0 ? otherwise : words.splice(at, 2)[1];
}
const keys = Number(option('keys', 120));
const lines = Number(option('lines', 100_000));
const GOAL_MS = 8;

const module = new URL('../../node_modules/@xterm/xterm/', import.meta.url);
const xterm = `<!DOCTYPE html><meta charset="utf-8"><style>${fs.readFileSync(new URL('css/xterm.css', module))}
  body { margin: 0 } #terminal { width: 800px; height: 600px }</style><div id="terminal"></div>
  <script>${fs.readFileSync(new URL('lib/xterm.js', module), 'utf8').replaceAll('</script', '<\\/script')}</script><script>
  const terminal = window.terminal = new Terminal({ cols: 90, rows: 34, scrollback: 100000 });
  terminal.open(document.getElementById('terminal'));
  terminal.onData((text) => terminal.write(text));
  </script>`;
const other = http.createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end(xterm);
});
await new Promise((resolve) => { other.listen(0, '127.0.0.1', resolve); });
const own = await serve(words[0] ?? 'dist');
const browser = await chromium.launch({
  executablePath: process.env.CHROME ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost'],
});

// Runs in the page: presses a key and waits for its letter.
function pressKeys({ count, area, rows }) {
  const target = document.querySelector(area);
  const root = document.querySelector(rows);
  target.focus();
  const letters = 'abcdefghijklmnop';
  const one = (letter) => new Promise((resolve) => {
    const before = root.textContent.split(letter).length;
    const start = performance.now();
    const done = () => {
      if (root.textContent.split(letter).length <= before) return;
      watcher.disconnect();
      resolve(performance.now() - start);
    };
    const watcher = new MutationObserver(done);
    watcher.observe(root, { subtree: true, childList: true, characterData: true });
    const event = { key: letter, code: `Key${letter.toUpperCase()}`, keyCode: letter.charCodeAt(0), bubbles: true, cancelable: true };
    const taken = !target.dispatchEvent(new KeyboardEvent('keydown', { ...event, keyCode: letter.toUpperCase().charCodeAt(0) }));
    if (!taken) {
      target.dispatchEvent(new KeyboardEvent('keypress', { ...event, charCode: letter.charCodeAt(0) }));
      if (!target.value.includes(letter)) target.value += letter;
      target.dispatchEvent(new InputEvent('input', { data: letter, inputType: 'insertText', bubbles: true, composed: true }));
    }
    setTimeout(() => { watcher.disconnect(); resolve(undefined); }, 2_000);
  });
  return (async () => {
    const took = [];
    for (let at = 0; at < count; at += 1) {
      took.push(await one(letters[at % letters.length]));
      // Two frames later, as a person would at the earliest.
      await new Promise((next) => { requestAnimationFrame(() => requestAnimationFrame(next)); });
    }
    return took;
  })();
}

// Runs in the page: the longest that no frame was drawn until `is` holds.
const watchFrames = () => {
  window.frames_ = { longest: 0, count: 0, last: performance.now(), on: true };
  const look = () => {
    const now = performance.now();
    const f = window.frames_;
    f.longest = Math.max(f.longest, now - f.last);
    f.count += 1;
    f.last = now;
    if (f.on) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
};

const ordered = (numbers) => numbers.filter((n) => n !== undefined).sort((a, b) => a - b);
const at = (numbers, share) => numbers[Math.min(numbers.length - 1, Math.floor(numbers.length * share))];
const ms = (n) => (n === undefined ? '-' : n.toFixed(1));

async function measure(url, { area, rows, ready, flood }) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(url);
  await page.waitForSelector(ready, { timeout: 60_000 });
  await page.evaluate(pressKeys, { count: 16, area, rows });
  const echo = ordered(await page.evaluate(pressKeys, { count: keys, area, rows }));
  await page.evaluate(watchFrames);
  const start = Date.now();
  await flood(page);
  const took = Date.now() - start;
  const frames = await page.evaluate(() => { window.frames_.on = false; return window.frames_; });
  const after = ordered(await page.evaluate(pressKeys, { count: 40, area, rows }));
  await page.close();
  return { echo, took, frames, after };
}

let failed = false;
try {
  const capas = await measure(own.url, {
    area: '[data-capas="keys"]', rows: '[data-capas="terminal"]', ready: '[data-capas="terminal"][data-ready="true"]',
    flood: async (page) => {
      await page.keyboard.press('Control+u');
      await page.keyboard.type(`seq 1 ${lines}\n`);
      await page.waitForFunction((last) => [...document.querySelectorAll('[data-capas="row"]')].some((r) => r.textContent === last),
        String(lines), { timeout: 120_000, polling: 50 });
    },
  });
  const peer = await measure(`http://localhost:${other.address().port}/`, {
    area: '.xterm-helper-textarea', rows: '.xterm-rows', ready: '.xterm-rows > div',
    flood: (page) => page.evaluate((count) => new Promise((resolve) => {
      let text = '';
      for (let n = 1; n <= count; n += 1) text += `${n}\r\n`;
      window.terminal.write(text, () => requestAnimationFrame(resolve));
    }), lines),
  });
  console.log(`${keys} keys, ${lines} lines, one run, Chromium ${browser.version()}`);
  console.log('                       key to letter: median   p95    after the lines: median   p95   lines: all   longest gap');
  for (const [name, seen] of [['capas (with its shell)', capas], ['xterm.js (echo only)  ', peer]]) {
    console.log(`${name}  ${ms(at(seen.echo, 0.5)).padStart(20)} ms ${ms(at(seen.echo, 0.95)).padStart(5)} ms `
      + `${ms(at(seen.after, 0.5)).padStart(20)} ms ${ms(at(seen.after, 0.95)).padStart(5)} ms ${String(seen.took).padStart(8)} ms ${ms(seen.frames.longest).padStart(9)} ms`);
  }
  const p95 = at(capas.echo, 0.95);
  if (!(p95 < GOAL_MS)) { failed = true; console.log(`over the goal: p95 of ${ms(p95)} ms is not under ${GOAL_MS} ms`); }
} finally {
  await browser.close();
  await own.close();
  other.close();
}
process.exitCode = failed ? 1 : 0;
