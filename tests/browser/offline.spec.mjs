// The installed page: opens without a network after one visit, and takes over a new build as a whole.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { serve } from './serve.mjs';
import { expect, openPage, terminalText, test, type, waitForPrompt } from './fixtures.mjs';

const kept = (page) => page.evaluate(async () => (await (await caches.open('capas')).keys()).map((request) => request.url));
/** The worker of this build is installed and answers. */
const working = (page) => page.evaluate(async () => {
  const registration = await navigator.serviceWorker.ready;
  if (registration.active.state === 'activated') return;
  await new Promise((done) => { registration.active.addEventListener('statechange', (event) => event.target.state === 'activated' && done()); });
});

test('works after one visit with the network off', async ({ page, context }) => {
  await openPage(page);
  await working(page);
  await context.setOffline(true);
  await page.reload();
  await waitForPrompt(page);
  await type(page, 'docker pull alpine');
  expect(await terminalText(page)).toContain('docker.io/library/alpine:latest');
  await page.goto('index.html?embed=1&panes=layers');
  await expect(page.locator('[data-capas="layers"]')).toBeVisible();
});

test('can be installed', async ({ page, baseURL }) => {
  await openPage(page);
  const manifest = await page.evaluate(async () => (await fetch(document.querySelector('link[rel=manifest]').href)).json());
  expect(manifest).toMatchObject({ display: 'standalone', start_url: './' });
  for (const { src, sizes } of manifest.icons) {
    const size = await page.evaluate(async (url) => { const image = new Image(); image.src = url; await image.decode(); return image.naturalWidth; }, new URL(src, baseURL).href);
    if (sizes !== 'any') expect(`${size}x${size}`).toBe(sizes);
  }
  const session = await page.context().newCDPSession(page);
  await session.send('Page.enable');
  const { errors } = await session.send('Page.getAppManifest');
  expect(errors).toEqual([]);
});

test('a new build is taken over as a whole, and the old one is thrown away', async ({ browser }) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'capas-offline-'));
  fs.cpSync('dist', folder, { recursive: true });
  const { url, close } = await serve(folder, { compress: false });
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(url);
    await waitForPrompt(page, 60_000);
    await working(page);
    const before = await kept(page);
    // Another build: one file is new, another changed.
    const start = path.join(folder, 'index.html');
    fs.writeFileSync(start, fs.readFileSync(start, 'utf8').replace('<title>Capas</title>', '<title>Capas</title><meta name="build" content="2">'));
    const worker = path.join(folder, 'sw.js');
    const { createHash } = await import('node:crypto');
    const hash = createHash('sha256').update(fs.readFileSync(start)).digest('hex').slice(0, 16);
    fs.writeFileSync(worker, fs.readFileSync(worker, 'utf8').replace(/("index\.html": ")[0-9a-f]{16}/, `$1${hash}`));
    await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      const old = registration.active;
      await registration.update();
      await new Promise((done) => { const look = setInterval(() => { if (registration.active !== old && registration.active?.state === 'activated') { clearInterval(look); done(); } }, 50); });
    });
    await page.reload();
    await waitForPrompt(page);
    expect(await page.locator('meta[name=build]').getAttribute('content')).toBe('2');
    const after = await kept(page);
    expect(after.length).toBe(before.length);
    expect(after.filter((one) => !before.includes(one))).toEqual([`${url}index.html?v=${hash}`]);
    await context.close();
  } finally {
    await close();
    fs.rmSync(folder, { recursive: true });
  }
});

test('a file of another build is never mixed in', async ({ browser }) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'capas-offline-'));
  fs.cpSync('dist', folder, { recursive: true });
  fs.appendFileSync(path.join(folder, 'boot.js'), '\n// half deployed\n');
  const { url, close } = await serve(folder, { compress: false });
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(url);
    await waitForPrompt(page, 60_000);
    const state = await page.evaluate(async () => {
      await new Promise((done) => { setTimeout(done, 2500); });
      const registration = await navigator.serviceWorker.getRegistration();
      return registration?.active?.state ?? 'none';
    });
    expect(state).toBe('none');
    await context.close();
  } finally {
    await close();
    fs.rmSync(folder, { recursive: true });
  }
});
