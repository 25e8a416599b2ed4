// dist/capas.html: the page in one file, opened from a disk.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { test as base, expect } from '@playwright/test';
import { terminalText, type, waitForPrompt } from './fixtures.mjs';

const test = base.extend({});
const file = path.resolve(import.meta.dirname, '../../dist/capas.html');

test('runs from file:// and asks for nothing else', async ({ page }) => {
  const troubles = [];
  const requests = [];
  page.on('console', (message) => { if (message.type() === 'error') troubles.push(message.text()); });
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('request', (request) => { if (!/^(?:data|blob):/.test(request.url())) requests.push(request.url()); });
  const address = pathToFileURL(file).href;
  await page.goto(`${address}?lang=es`);
  await waitForPrompt(page, 60_000);
  await type(page, 'docker run --rm alpine echo desde un USB');
  expect(await terminalText(page)).toContain('\ndesde un USB');
  expect(await page.evaluate(() => getComputedStyle(document.querySelector('[data-capas="terminal"]')).display)).not.toBe('inline');
  expect(requests).toEqual([`${address}?lang=es`]);
  expect(troubles).toEqual([]);
});

test('carries what the page fetches', async ({ page }) => {
  await page.goto(pathToFileURL(file).href);
  await waitForPrompt(page, 60_000);
  const folder = path.dirname(file);
  const names = fs.readdirSync(folder, { recursive: true })
    .map((name) => name.split(path.sep).join('/'))
    .filter((name) => /^(?!demo\/).*\.(?:md|json)$/.test(name));
  for (const name of names) {
    const text = await page.evaluate(async (wanted) => (await fetch(wanted)).text(), name);
    expect(text, name).toBe(fs.readFileSync(path.join(folder, name), 'utf8'));
  }
  expect(await page.evaluate(async () => (await fetch('no-hay.md')).status)).toBe(404);
});
