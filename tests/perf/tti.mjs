// Time until the prompt takes keys, measured in Chromium over a throttled line, with nothing cached.
//
//   node tests/perf/tti.mjs [FOLDER] [--runs N] [--mbps N] [--rtt MS] [--ready SELECTOR]
//
// Prints the median, the fastest and the slowest run: the first paint, the prompt, and the bytes on the wire.
import { chromium } from '@playwright/test';
import { serve } from '../browser/serve.mjs';

const words = process.argv.slice(2);
function option(name, otherwise) {
  const at = words.indexOf(`--${name}`);
  return at < 0 ? otherwise : words.splice(at, 2)[1];
}
const runs = Number(option('runs', 7));
const mbps = Number(option('mbps', 10));
const rtt = Number(option('rtt', 40));
const ready = option('ready', '[data-capas="terminal"][data-ready="true"]');

const { url, close } = await serve(words[0] ?? 'dist');
const browser = await chromium.launch({
  executablePath: process.env.CHROME ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost'],
});

/** One visit with an empty cache. */
async function visit(throttled) {
  const context = await browser.newContext();
  const page = await context.newPage();
  // A page of the same origin first, so that the start of the renderer is not counted.
  await page.goto(`${url}nothing`).catch(() => {});
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  if (throttled) {
    const throughput = (mbps * 1e6) / 8;
    await session.send('Network.emulateNetworkConditions', {
      offline: false, latency: rtt, downloadThroughput: throughput, uploadThroughput: throughput,
    });
  }
  let bytes = 0;
  session.on('Network.loadingFinished', (event) => { bytes += event.encodedDataLength; });
  await page.addInitScript((selector) => {
    window.capasReady = new Promise((resolve) => {
      const look = () => { if (document.querySelector(selector)) resolve(performance.now()); };
      new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
      document.addEventListener('DOMContentLoaded', look);
    });
  }, ready);
  await page.goto(url, { waitUntil: 'commit' });
  const prompt = await Promise.race([
    page.evaluate(() => window.capasReady),
    new Promise((_, reject) => { setTimeout(reject, 60_000, new Error(`${ready} never came`)).unref(); }),
  ]);
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  await context.close();
  return { paint, prompt, bytes };
}

const seen = [];
try {
  // Fills the server's memory with compressed bodies.
  await visit(false);
  for (let run = 0; run < runs; run += 1) seen.push(await visit(true));
} finally {
  await browser.close();
  await close();
}
console.log(`${runs} runs, ${mbps} Mb/s, ${rtt} ms there and back, brotli, nothing cached`);
for (const [what, unit] of [['paint', 'ms'], ['prompt', 'ms'], ['bytes', '']]) {
  const numbers = seen.map((one) => one[what]).filter((n) => n !== undefined).sort((a, b) => a - b);
  if (!numbers.length) { console.log(`${what.padEnd(7)} never seen`); continue; }
  const [least, middle, most] = [0, numbers.length >> 1, numbers.length - 1].map((i) => Math.round(numbers[i]));
  console.log(`${what.padEnd(7)} ${String(middle).padStart(8)} ${unit}  (${least} to ${most})`);
}
