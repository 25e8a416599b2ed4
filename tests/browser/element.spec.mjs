// <capas-sandbox>: the page as an element of another one.
import { expect, test } from './fixtures.mjs';

const ready = (page, selector) => page.evaluate((found) => document.querySelector(found).ready.then(() => true), selector);

/** A page of the same origin with nothing but the script and `body`. */
async function host(page, body) {
  await page.route('**/host-test.html', (route) => route.fulfill({
    contentType: 'text/html; charset=utf-8',
    body: `<!DOCTYPE html><html lang="en"><title>Host</title><link rel="icon" href="data:,"><script src="capas-sandbox.js"></script>${body}</html>`,
  }));
  await page.goto('host-test.html');
}

test('runs commands, tells what they print and what Docker holds', async ({ page }) => {
  await host(page, '<capas-sandbox seed="7"></capas-sandbox>');
  await ready(page, 'capas-sandbox');
  const results = await page.evaluate(() => document.querySelector('capas-sandbox').run(['docker pull -q alpine', 'docker run --name uno alpine echo hola']));
  expect(results).toEqual([
    { command: 'docker pull -q alpine', output: 'docker.io/library/alpine:latest' },
    { command: 'docker run --name uno alpine echo hola', output: 'hola' },
  ]);
  const state = await page.evaluate(() => document.querySelector('capas-sandbox').state());
  expect(state.images.map((image) => image.tags)).toEqual([['alpine:latest']]);
  expect(state.containers).toMatchObject([{ name: 'uno', state: 'exited', exitCode: 0 }]);
});

test('tells of changes by events, and begins anew', async ({ page }) => {
  await host(page, '<capas-sandbox run="docker volume create datos" panes="terminal"></capas-sandbox>');
  await page.evaluate(() => {
    window.heard = [];
    for (const name of ['ready', 'ran', 'state', 'reset', 'typed']) document.addEventListener(`capas-${name}`, () => window.heard.push(name));
  });
  await expect.poll(() => page.evaluate(() => window.heard.includes('ran')), { timeout: 30_000 }).toBe(true);
  const one = 'capas-sandbox';
  expect(await page.evaluate((s) => document.querySelector(s).state().then((state) => state.volumes), one)).toEqual(['datos']);
  expect(await page.evaluate(() => window.heard.includes('state'))).toBe(true);
  await page.evaluate((s) => document.querySelector(s).put('nota.txt', 'hola\n'), one);
  expect(await page.evaluate((s) => document.querySelector(s).run('cat nota.txt'), one)).toMatchObject([{ output: 'hola' }]);
  await page.evaluate((s) => document.querySelector(s).reset(), one);
  expect(await page.evaluate((s) => document.querySelector(s).run('ls'), one)).toMatchObject([{ output: '' }]);
});

test('starts only near the part of the page that is seen', async ({ page }) => {
  await host(page, '<p style="height: 4000px"></p><capas-sandbox></capas-sandbox>');
  await page.waitForTimeout(500);
  await expect(page.locator('capas-sandbox iframe')).toHaveCount(0);
  await page.evaluate(() => window.scrollTo(0, 4000));
  await ready(page, 'capas-sandbox');
});

test('does not take the keyboard from the page around, and gives it back', async ({ page }) => {
  await host(page, '<input autofocus aria-label="mine"><capas-sandbox></capas-sandbox>');
  await ready(page, 'capas-sandbox');
  expect(await page.evaluate(() => document.activeElement.tagName)).toBe('INPUT');
  await page.evaluate(() => document.querySelector('capas-sandbox').focus());
  await page.keyboard.type('echo aquí');
  await page.keyboard.press('Enter');
  const frame = page.frameLocator('capas-sandbox iframe');
  await expect(frame.locator('[data-capas="row"]').filter({ hasText: /^aquí/ })).toHaveCount(1);
  const left = page.evaluate(() => new Promise((done) => { document.addEventListener('capas-leave', () => done(true)); }));
  await page.keyboard.press('Shift+Escape');
  expect(await left).toBe(true);
});

test('read-only: the visitor can look, the page can run', async ({ page }) => {
  await host(page, '<capas-sandbox readonly></capas-sandbox>');
  await ready(page, 'capas-sandbox');
  await page.evaluate(() => document.querySelector('capas-sandbox').focus());
  await page.keyboard.type('echo no');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.querySelector('capas-sandbox').run('echo sí'))).toMatchObject([{ output: 'sí' }]);
  const rows = await page.frameLocator('capas-sandbox iframe').locator('[data-capas="row"]').allTextContents();
  expect(rows.join('\n')).not.toContain('echo no');
});

test('ten on a page share one program', async ({ page }) => {
  await page.addInitScript(() => {
    const { compileStreaming } = WebAssembly;
    window.compiledHere = 0;
    WebAssembly.compileStreaming = (...words) => { window.compiledHere += 1; return compileStreaming.apply(WebAssembly, words); };
  });
  await host(page, Array.from({ length: 10 }, (_, at) => `<capas-sandbox eager seed="${at}" style="height: 5rem"></capas-sandbox>`).join(''));
  await page.evaluate(() => Promise.all([...document.querySelectorAll('capas-sandbox')].map((one) => one.ready)));
  const count = () => Promise.all(page.frames().slice(1).map((frame) => frame.evaluate(() => window.compiledHere)));
  await page.waitForTimeout(1000);
  const compiled = await count();
  expect(compiled.length).toBe(10);
  // The first of them, each part of the program once.
  expect(compiled.filter(Boolean).length).toBe(1);
  expect(Math.max(...compiled)).toBeLessThanOrEqual(2);
});

test('one that is only looked at brings the rest of the program when the visitor turns to it', async ({ page }) => {
  const asked = [];
  page.on('request', (request) => { if (request.url().endsWith('.wasm')) asked.push(request.url().replace(/^.*_/, '')); });
  await host(page, '<p style="height: 8rem"></p><capas-sandbox></capas-sandbox>');
  await ready(page, 'capas-sandbox');
  const frame = page.frameLocator('capas-sandbox iframe');
  await expect(frame.locator('[data-capas="terminal"][data-ready="true"]')).toBeVisible();
  await page.waitForTimeout(1_500);
  expect(asked).toEqual(['bg.wasm']);
  await page.mouse.move(5, 5);
  const arrived = page.waitForEvent('requestfinished', (request) => request.url().endsWith('_rest.wasm'));
  await frame.locator('[data-capas="terminal"]').hover();
  await expect.poll(() => asked).toEqual(['bg.wasm', 'rest.wasm']);
  await arrived;
  // It is compiled then; what comes before that may fetch it once more.
  await page.waitForTimeout(1_000);
  const results = await page.evaluate(() => document.querySelector('capas-sandbox').run('docker version --format "{{.Client.Version}}"'));
  expect(results).toMatchObject([{ output: '28.2.2' }]);
  expect(asked.length).toBe(2);
});

test('the demo page', async ({ page }) => {
  await page.goto('demo/element.html');
  await ready(page, '#first');
  await expect.poll(() => page.evaluate(() => document.getElementById('first').state().then((state) => state.images.length)), { timeout: 30_000 }).toBe(1);
  await page.locator('#run').click();
  await expect(page.locator('#log')).toContainText('Alpine Linux', { timeout: 30_000 });
});
