// Notes which functions of the page's program run until the prompt takes keys, and while keys are typed: these make up the
// first part of the program (www/build/split.mjs). Writes www/build/startup.txt.
//
//   node tests/perf/profile.mjs target/whole
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium } from '@playwright/test';
import { serve } from '../browser/serve.mjs';
import { instrument, shortName } from '../../www/build/split.mjs';

const whole = process.argv[2] ?? 'target/whole';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'capas-profile-'));
fs.cpSync(whole, folder, { recursive: true });
const file = fs.readdirSync(folder).find((entry) => entry.endsWith('_bg.wasm'));
const { bytes, base, names } = instrument(fs.readFileSync(path.join(folder, file)));
if (!names.some(Boolean)) throw new Error(`${file} has no names of functions: build it with ./dev build`);
fs.writeFileSync(path.join(folder, file), bytes);
// The index names hashes of the files; they no longer fit.
const index = path.join(folder, 'index.html');
fs.writeFileSync(index, fs.readFileSync(index, 'utf8').replace(/ integrity="[^"]*"/g, ''));

const { url, close } = await serve(folder, { compress: false });
const browser = await chromium.launch({
  executablePath: process.env.CHROME ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
const ran = new Set();
async function note(frame) {
  const noted = await frame.evaluate(([at, length]) => Array.from(new Uint8Array(window.capasMemory.buffer, at, length)), [base, names.length]);
  noted.forEach((note, at) => { if (note && names[at]) ran.add(shortName(names[at])); });
}
// Its memory is the only thing that says what ran.
function remember() {
  // The rest never comes here: what waits for it (src/ui/rest.rs) is not of the start.
  window.capasWhole = new Promise(() => {});
  for (const how of ['instantiate', 'instantiateStreaming']) {
    const real = WebAssembly[how];
    WebAssembly[how] = async (...given) => {
      const made = await real.apply(WebAssembly, given);
      window.capasMemory = Object.values((made.instance ?? made).exports).find((e) => e instanceof WebAssembly.Memory);
      return made;
    };
  }
}
try {
  // Wide windows and a phone, both languages: each draws something that the others do not. Several times each, since the
  // browser's random numbers lay out the page's hash tables, and some functions only run when two keys collide.
  const visits = [[1440, 900, 'es-ES'], [390, 844, 'en-GB'], [1280, 720, 'en-US'], [768, 1024, 'es-MX']];
  for (const [at, [width, height, locale]] of [...visits, ...visits, ...visits].entries()) {
    const context = await browser.newContext({ viewport: { width, height }, locale, hasTouch: width < 800 });
    const page = await context.newPage();
    // The last round is on a slow machine: there the page measures its own slowness, and timers come before what they follow.
    if (at >= 2 * visits.length) {
      const devtools = await context.newCDPSession(page);
      await devtools.send('Emulation.setCPUThrottlingRate', { rate: 24 });
    }
    page.on('pageerror', (error) => { console.error(error); process.exitCode = 1; });
    await page.addInitScript(remember);
    await page.goto(url);
    await page.locator('[data-capas="terminal"][data-ready="true"]').waitFor();
    await page.locator('[data-capas="keys"]').focus();
    await page.keyboard.type('docker imagesx', { delay: 20 });
    await page.keyboard.press('Backspace');
    // What was typed is to be saved after a pause (src/ui/keep.rs), and waits for the rest.
    await page.waitForTimeout(600);
    await note(page.mainFrame());
    await context.close();
  }
  // Embeds that are only looked at, as in most decks: alone, in a deck's dock, and as a part of the page.
  for (const [locale, panes] of [['es-ES', 'both'], ['en-GB', 'both'], ['es-ES', 'terminal'], ['en-GB', 'layers']]) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, locale });
    const page = await context.newPage();
    page.on('pageerror', (error) => { console.error(error); process.exitCode = 1; });
    await page.addInitScript(remember);
    await page.route('**/host.html', (route) => route.fulfill({
      contentType: 'text/html; charset=utf-8',
      body: `<!DOCTYPE html><title>Host</title><script src="capas-sandbox.js"></script><capas-sandbox panes="${panes}"></capas-sandbox>`,
    }));
    await page.goto(`${url}host.html`);
    await page.evaluate(() => document.querySelector('capas-sandbox').ready);
    await page.waitForTimeout(1_500);
    await note(page.frames()[1]);
    await context.close();
  }
} finally {
  await browser.close();
  await close();
  fs.rmSync(folder, { recursive: true });
}
// Whether hashes that look alike are compared is up to chance: one run has it, the next has not.
for (const name of names) if (/^(indexmap|hashbrown).*(::equal|equivalent_key)::?</.test(name)) ran.add(shortName(name));
const out = 'www/build/startup.txt';
fs.writeFileSync(out, `# Written by ./dev profile: short names of the functions that run until the prompt takes keys.\n${
  [...ran].sort().join('\n')}\n`);
console.log(`${out}: ${ran.size} names of ${names.length} functions`);
