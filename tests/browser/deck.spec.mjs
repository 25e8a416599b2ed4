// Decks of reveal.js that nobody changed become runnable with one script tag.
import fs from 'node:fs';
import path from 'node:path';
import { serveDeck, VERSIONS } from './decks.mjs';
import { expect, test } from './fixtures.mjs';

const sandbox = (page) => page.frameLocator('.capas-dock iframe');
const indices = (page) => page.evaluate(() => { const { h, v } = window.Reveal.getIndices(); return `${h}/${v ?? 0}`; });
const rows = (page) => sandbox(page).locator('[data-capas="row"]').allTextContents();
const here = (page) => page.locator('.slides > section.present section.present, .slides > section.present:not(:has(section))').first();

async function openDeck(page, version, at = '', options) {
  await page.goto(await serveDeck(page.context(), version, options) + (at ? `#/${at}` : ''));
  await expect(page.locator('.capas-run').first()).toBeAttached();
  await page.evaluate(() => new Promise((done) => { if (window.Reveal.isReady()) done(); else window.Reveal.addEventListener('ready', done); }));
}

async function run(page) {
  await here(page).locator('.capas-run').click();
  await expect(page.locator('.capas-run[aria-busy]')).toHaveCount(0, { timeout: 60_000 });
}

for (const version of Object.keys(VERSIONS)) {
  test.describe(`reveal.js ${version}`, () => {
    test('blocks get buttons that run them in one machine', async ({ page }) => {
      await openDeck(page, version, '0/1');
      // Notes, other languages and plain fences have none.
      await expect(page.locator('.capas-run')).toHaveCount(5);
      await run(page);
      expect((await rows(page)).join('\n')).toContain('alpine:latest');
      // The next slide goes on where this one ended.
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Space');
      await run(page);
      const text = (await rows(page)).map((row) => row.trim());
      expect(text).toContain('tres líneas');
      expect(text.join('\n')).toContain('alpine:latest');
    });

    test('a Dockerfile is written and built', async ({ page }) => {
      await openDeck(page, version, '1/0');
      await run(page);
      await page.evaluate(() => document.querySelector('.capas-dock capas-sandbox').run('cat Dockerfile; docker images -aq | wc -l'));
      const text = (await rows(page)).join('\n');
      expect(text).toContain('RUN echo hola > /saludo');
      expect(text).toMatch(/^1$/m);
    });

    test('keys belong to the terminal or to the deck', async ({ page }) => {
      await openDeck(page, version, '0/1');
      await run(page);
      // Space turns the slide; the button that was clicked does not take it.
      const keys = sandbox(page).locator('[data-capas="keys"]');
      await keys.click({ force: true });
      const before = await indices(page);
      await page.keyboard.type('echo f o b s t n p');
      await page.keyboard.press('Enter');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Escape');
      await expect.poll(async () => (await rows(page)).join('\n')).toContain('\nf o b s t n p');
      expect(await indices(page)).toBe(before);
      await expect(page.locator('.reveal.overview')).toHaveCount(0);
      await page.keyboard.press('Shift+Escape');
      // The keyboard is given back by a message: a key that comes before it is still the terminal's.
      await expect.poll(() => page.evaluate(() => document.activeElement === document.body)).toBe(true);
      const count = (await rows(page)).join('\n').length;
      await page.keyboard.press('ArrowUp');
      await expect.poll(() => indices(page)).not.toBe(before);
      expect((await rows(page)).join('\n').length).toBe(count);
    });

    test('a slide gets the state that it asks for', async ({ page }) => {
      await openDeck(page, version, '0/1');
      await run(page);
      await page.evaluate(() => window.Reveal.slide(1, 1));
      await run(page);
      const text = (await rows(page)).map((row) => row.trim()).join('\n');
      expect(text).toContain('busybox:latest\npreparada:1');
      expect(text).not.toContain('alpine:latest');
    });

    test('fragments step through commands', async ({ page }) => {
      await openDeck(page, version, '1/2');
      await expect(page.locator('.capas-step')).toHaveCount(2);
      await page.evaluate(() => document.querySelector('.capas-dock capas-sandbox').run('docker pull alpine'));
      await page.keyboard.press('Space');
      await expect(here(page).locator('.capas-step.visible')).toHaveCount(1);
      await expect(page.locator('.capas-run[aria-busy]')).toHaveCount(0, { timeout: 30_000 });
      await page.keyboard.press('Space');
      await expect(page.locator('.capas-run[aria-busy]')).toHaveCount(0, { timeout: 30_000 });
      expect((await rows(page)).map((row) => row.trim())).toContain('uno');
      expect(await indices(page)).toBe('1/2');
    });

    test('the slides take the room that the dock leaves', async ({ page }) => {
      await openDeck(page, version, '0/1');
      await page.locator('.capas-open').click();
      const [dock, deck] = await Promise.all([page.locator('.capas-dock').boundingBox(), page.locator('.reveal').boundingBox()]);
      expect(Math.abs(deck.y + deck.height - dock.y)).toBeLessThan(2);
      // What is scaled is not the terminal: a click still lands where it is aimed at.
      await expect(sandbox(page).locator('[data-capas="terminal"]')).toHaveAttribute('data-ready', 'true', { timeout: 30_000 });
      await page.locator('.capas-bar button').last().click();
      expect((await page.locator('.reveal').boundingBox()).height).toBeGreaterThan(deck.height);
    });

    test('nothing is shown in print', async ({ page }) => {
      await page.goto(`${await serveDeck(page.context(), version)}?print-pdf`);
      await expect(page.locator('.slides pre').first()).toBeAttached();
      await page.waitForTimeout(1000);
      await expect(page.locator('.capas-dock, .capas-run, iframe')).toHaveCount(0);
    });

    test('Windows line ends', async ({ page }) => {
      await openDeck(page, version, '0/1', { crlf: true });
      await expect(page.locator('.capas-run')).toHaveCount(5);
      await run(page);
      expect((await rows(page)).join('\n')).toContain('alpine:latest');
    });
  });
}

test('the overview shows no buttons', async ({ page }) => {
  await openDeck(page, 5, '0/1');
  await page.evaluate(() => window.Reveal.toggleOverview(true));
  await expect(here(page).locator('.capas-run')).toBeHidden();
});

test('the speaker view is in step', async ({ page, context }) => {
  await openDeck(page, 5, '0/1');
  await run(page);
  const [speaker] = await Promise.all([context.waitForEvent('page'), page.keyboard.press('s')]);
  const current = () => speaker.frames().find((frame) => /postMessageEvents/.test(frame.url()));
  await expect.poll(() => Boolean(current()), { timeout: 20_000 }).toBe(true);
  const text = async () => (await current().frameLocator('.capas-dock iframe').locator('[data-capas="row"]').allTextContents()).join('\n');
  // What ran before the speaker view was opened is there,
  await expect.poll(text, { timeout: 40_000 }).toContain('alpine:latest');
  // what runs later comes,
  await page.evaluate(() => document.querySelector('.capas-dock capas-sandbox').run('echo desde la pared'));
  await expect.poll(text, { timeout: 20_000 }).toContain('\ndesde la pared');
  // what the speaker runs runs on the wall,
  await current().evaluate(() => document.querySelector('.capas-dock capas-sandbox').run('echo desde la mesa'));
  await expect.poll(async () => (await rows(page)).join('\n'), { timeout: 20_000 }).toContain('\ndesde la mesa');
  // and the preview of the next slide starts nothing.
  const upcoming = speaker.frames().find((frame) => /receiver/.test(frame.url()) && !/postMessageEvents/.test(frame.url()));
  expect(await upcoming.locator('.capas-dock').count()).toBe(0);
});

test('the demo deck', async ({ page }) => {
  await page.goto('demo/deck.html#/0/1');
  await run(page);
  expect((await rows(page)).join('\n')).toContain('nginx');
});

test('the plugin splits blocks as capas test does', async ({ page }) => {
  const root = path.resolve(import.meta.dirname, '../..');
  const { splitBlock } = await import(path.join(root, 'www/embed/blocks.js'));
  const cases = JSON.parse(fs.readFileSync(path.join(root, 'tests/decks/blocks.json'), 'utf8'));
  expect(cases.length).toBeGreaterThan(15);
  for (const { name, kind, source, steps, dockerfile } of cases) {
    const wanted = dockerfile === undefined ? { kind: 'commands', steps } : { kind: 'dockerfile', text: dockerfile };
    expect(splitBlock(kind, source), name).toEqual(wanted);
  }
  await page.close();
});
