// The page in an iframe: what its address asks for, and the messages.
import { serve } from './serve.mjs';
import { expect, test, waitForPrompt } from './fixtures.mjs';

const frame = (page) => page.frameLocator('iframe');

async function host(page, query, origin = '') {
  await page.route('**/host-test.html', (route) => route.fulfill({
    contentType: 'text/html; charset=utf-8',
    body: `<!DOCTYPE html><html lang="en"><title>Host</title><link rel="icon" href="data:,"><script>
      window.heard = []; addEventListener('message', (event) => heard.push({ ...event.data, from: event.origin }));
      window.send = (message) => frames[0].postMessage(message, '*'); </script>
      <iframe title="Capas" src="${origin}index.html?${query}" style="width: 900px; height: 500px"></iframe></html>`,
  }));
  await page.goto('host-test.html');
}

const heard = (page, type) => page.evaluate((wanted) => window.heard.filter((message) => message.type === wanted), type);

test('the address says what is shown and run', async ({ page }) => {
  await page.goto('index.html?embed=1&panes=terminal&lang=en&theme=dark&run=echo+uno&run=echo+dos');
  await waitForPrompt(page);
  await expect(page.locator('header')).toHaveCount(0);
  await expect(page.locator('[data-capas="layers"]')).toHaveCount(0);
  await expect(page.locator('[data-capas="row"]').filter({ hasText: /^dos/ })).toHaveCount(1);
  expect(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.theme])).toEqual(['en', 'dark']);
  await page.goto('index.html?embed=1&panes=layers');
  await expect(page.locator('[data-capas="layers"]')).toBeVisible();
  await expect(page.locator('[data-capas="terminal"]')).toHaveCount(0);
});

test('messages are answered with their id, wrong ones with an error', async ({ page }) => {
  await host(page, 'embed=1');
  await expect.poll(() => heard(page, 'ready'), { timeout: 30_000 }).toHaveLength(1);
  await page.evaluate(() => window.send({ capas: 1, type: 'run', id: 'a', commands: ['echo hola'] }));
  await expect.poll(() => heard(page, 'ran'), { timeout: 20_000 }).toMatchObject([{ capas: 1, id: 'a', results: [{ command: 'echo hola', output: 'hola' }] }]);
  for (const [message, text] of [
    [{ capas: 2, type: 'run', id: 1 }, 'version 1'], [{ capas: 1, type: 'nada', id: 2 }, 'nada'],
    [{ capas: 1, type: 'run', commands: 'ls', id: 3 }, 'commands'], [{ capas: 1, type: 'put', id: 4, path: '/proc/x/y', text: '' }, '/proc/x/y'],
  ]) {
    await page.evaluate((sent) => window.send(sent), message);
    await expect.poll(async () => (await heard(page, 'error')).find((error) => error.id === message.id)?.message, { timeout: 5000 }).toContain(text);
  }
  // Messages of others are none of its business.
  await page.evaluate(() => { window.send('hola'); window.send({ type: 'run' }); window.send(null); window.send({ capas: 1, type: 'show', panes: 'layers' }); });
  await expect(frame(page).locator('[data-capas="terminal"]')).toHaveCount(0);
  await expect(frame(page).locator('[data-capas="layers"]')).toBeVisible();
  expect(await heard(page, 'error')).toHaveLength(4);
});

test('a lesson in a frame tells when it is ready and when it is solved', async ({ page }) => {
  await host(page, 'embed=1&lesson=primer-contenedor');
  await expect.poll(() => heard(page, 'ready'), { timeout: 30_000 }).toHaveLength(1);
  // What is ready is the lesson's own machine: a command that comes at once is typed there.
  expect(await heard(page, 'solved')).toEqual([]);
  await page.evaluate(() => window.send({ capas: 1, type: 'run', id: 1, commands: ['docker images', 'docker run hello-world'], fast: true }));
  await expect.poll(() => heard(page, 'solved'), { timeout: 30_000 }).toMatchObject([
    { capas: 1, lesson: 'primer-contenedor', commands: 2, hints: 0, sawSolution: false },
  ]);
  await expect.poll(() => heard(page, 'ran'), { timeout: 10_000 }).toHaveLength(1);
  // Once an attempt.
  await page.evaluate(() => window.send({ capas: 1, type: 'run', id: 2, commands: ['docker images'], fast: true }));
  await expect.poll(() => heard(page, 'ran'), { timeout: 10_000 }).toHaveLength(2);
  expect(await heard(page, 'solved')).toHaveLength(1);
});

test('a frame whose lesson is not there is ready all the same', async ({ page, troubles }) => {
  await host(page, 'embed=1&lang=es&lesson=no-hay-tal');
  await expect(frame(page).getByRole('alert')).toContainText('La lección no ha llegado');
  await expect.poll(() => heard(page, 'ready'), { timeout: 30_000 }).toHaveLength(1);
  // The page asked for a file that is not there, and the browser says so.
  expect(troubles.splice(0).every((trouble) => /404/.test(trouble))).toBe(true);
});

test('another origin must be named in the address', async ({ page, baseURL }) => {
  const other = await serve('dist', { compress: false });
  try {
    const origin = other.url.replace('localhost', '127.0.0.1');
    // The fixture calls requests to other origins trouble; here they are the point.
    const context = await page.context().browser().newContext({ baseURL });
    const stranger = await context.newPage();
    await host(stranger, 'embed=1', origin);
    await expect(frame(stranger).locator('[data-capas="terminal"]')).toHaveAttribute('data-ready', 'true', { timeout: 40_000 });
    await stranger.evaluate(() => window.send({ capas: 1, type: 'run', id: 1, commands: ['echo no'] }));
    await stranger.waitForTimeout(1500);
    expect(await stranger.evaluate(() => window.heard)).toEqual([]);
    expect((await frame(stranger).locator('[data-capas="row"]').allTextContents()).join('\n')).not.toContain('echo no');
    await host(stranger, `embed=1&origin=${encodeURIComponent(new URL(baseURL).origin)}`, origin);
    await expect.poll(() => heard(stranger, 'ready'), { timeout: 40_000 }).toMatchObject([{ from: new URL(origin).origin }]);
    await stranger.evaluate(() => window.send({ capas: 1, type: 'run', id: 1, commands: ['echo ya'] }));
    await expect.poll(() => heard(stranger, 'ran'), { timeout: 20_000 }).toMatchObject([{ results: [{ output: 'ya' }] }]);
    await context.close();
  } finally {
    await other.close();
  }
});

test('the demo page', async ({ page }) => {
  await page.goto('demo/iframe.html');
  await expect(frame(page).locator('[data-capas="row"]').filter({ hasText: /^busybox/ })).toHaveCount(1, { timeout: 40_000 });
  await page.getByRole('button', { name: 'state', exact: true }).click();
  await expect(page.locator('#log')).toContainText('busybox:latest', { timeout: 10_000 });
});
