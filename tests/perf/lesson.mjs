// How long a lesson takes to open: from the click on its name until its computer is there, first and warm (a second time).
//
//   node tests/perf/lesson.mjs [FOLDER] [LESSON...]
import { chromium } from '@playwright/test';
import { serve } from '../browser/serve.mjs';

const [folder = 'dist', ...wanted] = process.argv.slice(2);
const GOAL_MS = 300;
const { url, close } = await serve(folder);
const browser = await chromium.launch({
  executablePath: process.env.CHROME ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost'],
});

// Runs in the page.
function open(id) {
  return new Promise((resolve) => {
    const begin = performance.now();
    let shown = 0;
    const look = () => {
      const exercise = document.querySelector('[data-capas="exercise"]');
      if (exercise && !shown) shown = performance.now() - begin;
      if (exercise?.dataset.ready !== 'true') return;
      watcher.disconnect();
      // Until the browser has drawn it.
      requestAnimationFrame(() => setTimeout(() => resolve({ shown, ready: performance.now() - begin })));
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document.body, { subtree: true, childList: true, attributes: true });
    document.querySelector(`[data-lesson="${id}"]`).click();
  });
}

let slowest = 0;
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.on('pageerror', (error) => { console.error(error); process.exitCode = 1; });
  await page.goto(new URL('?lang=es&lesson', url).href);
  await page.waitForSelector('[data-lesson]');
  await page.waitForTimeout(3000);
  const all = await page.$$eval('[data-lesson]', (list) => list.map((entry) => entry.dataset.lesson));
  const ids = wanted.length ? wanted : all;
  const times = new Map(ids.map((id) => [id, []]));
  for (let round = 0; round < 3; round++) {
    for (const id of ids) {
      times.get(id).push(await page.evaluate(open, id));
      // What comes after (the goal's picture) is not of the next one.
      await page.waitForTimeout(1500);
      await page.click('[data-capas="lesson"] button');
      await page.waitForSelector('[data-lesson]');
    }
  }
  for (const [id, [first, ...warm]] of times) {
    const best = warm.reduce((a, b) => (a.ready < b.ready ? a : b));
    slowest = Math.max(slowest, best.ready);
    console.log(`${id.padEnd(28)} first ${first.ready.toFixed(0).padStart(5)} ms, warm ${best.ready.toFixed(0).padStart(5)} ms (text after ${best.shown.toFixed(0)} ms)`);
  }
  console.log(`slowest warm: ${slowest.toFixed(0)} ms, goal ${GOAL_MS} ms`);
} finally {
  await browser.close();
  close();
}
