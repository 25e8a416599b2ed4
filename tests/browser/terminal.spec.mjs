// The terminal as a widget: keys, copying and pasting, scrolling, sizes, and that nothing a program does blocks the page.
import { expect, expectNoSidewaysScroll, openPage, terminal, terminalText, test, type, waitForPrompt } from './fixtures.mjs';

const keys = (page) => terminal(page).locator('[data-capas="keys"]');
const rows = (page) => terminal(page).locator('[data-capas="row"]');

/** How many animation frames the page draws in half a second. */
const frames = (page) => page.evaluate(() => new Promise((done) => {
  let count = 0;
  const end = performance.now() + 500;
  const next = () => { count += 1; if (performance.now() < end) requestAnimationFrame(next); else done(count); };
  requestAnimationFrame(next);
}));

test('a command runs, its output shows, the prompt is back', async ({ page }) => {
  await openPage(page);
  await type(page, 'echo hola-$((40 + 2))');
  expect(await terminalText(page)).toContain('\nhola-42\n');
});

test('an endless loop leaves the page alive, and Ctrl-C ends it', async ({ page }) => {
  await openPage(page);
  await type(page, 'while :; do :; done', { wait: false });
  await expect(terminal(page)).toHaveAttribute('data-busy', 'true');
  expect(await frames(page)).toBeGreaterThan(10);
  await page.getByRole('button', { name: 'English' }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await keys(page).focus();
  await page.keyboard.press('Control+c');
  await waitForPrompt(page, 2_000);
  expect(await terminalText(page)).toContain('^C');
});

test('endless output leaves the page alive, and Ctrl-C ends it', async ({ page }) => {
  await openPage(page);
  await type(page, 'while :; do echo y; done', { wait: false });
  await page.waitForTimeout(500);
  expect(await frames(page)).toBeGreaterThan(5);
  await page.keyboard.press('Control+c');
  await waitForPrompt(page, 5_000);
  expect(await rows(page).count()).toBeLessThan(2500);
});

test('the arrow keys walk through history, Ctrl-L clears, Ctrl-U empties the line', async ({ page }) => {
  await openPage(page);
  await type(page, 'echo uno');
  await type(page, 'echo dos');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await expect.poll(() => terminalText(page)).toMatch(/\$ echo uno$/);
  await page.keyboard.press('Control+u');
  await expect.poll(() => terminalText(page)).toMatch(/\$$/);
  await page.keyboard.press('Control+l');
  await expect(rows(page).filter({ hasText: /^dos$/ })).not.toBeInViewport();
});

test('Spanish letters and pasted symbols arrive', async ({ page }) => {
  await openPage(page);
  await keys(page).focus();
  await page.keyboard.insertText("echo 'año ☃ 💻'");
  await page.keyboard.press('Enter');
  await waitForPrompt(page);
  expect(await terminalText(page)).toContain('\naño ☃ 💻\n');
});

/** Pastes as a browser does. */
const paste = (page, text) => keys(page).evaluate((area, pasted) => {
  const clipboard = new DataTransfer();
  clipboard.setData('text/plain', pasted);
  area.dispatchEvent(new ClipboardEvent('paste', { clipboardData: clipboard, bubbles: true, cancelable: true }));
}, text);

test('lines that are pasted run one after the other', async ({ page }) => {
  await openPage(page);
  await paste(page, 'echo a1\necho b2\n');
  // Bash marks pastes (mode 2004) and waits for Enter.
  await page.keyboard.press('Enter');
  await waitForPrompt(page);
  await expect.poll(() => terminalText(page)).toMatch(/\na1\n[^]*b2\n/);
});

test('a megabyte that is pasted, and NUL bytes, leave a page that answers', async ({ page }) => {
  test.setTimeout(120_000);
  await openPage(page);
  await paste(page, `: ${'x'.repeat(80)}\n`.repeat(12_500));
  expect(await frames(page)).toBeGreaterThan(3);
  await keys(page).focus();
  await page.keyboard.press('Control+c');
  await waitForPrompt(page, 60_000);
  await paste(page, 'echo a\0b');
  await page.keyboard.press('Enter');
  await waitForPrompt(page);
  await type(page, 'echo sigue-$((1 + 1))');
  expect(await terminalText(page)).toContain('sigue-2');
});

test('Ctrl-C copies what is selected and interrupts otherwise', async ({ page }) => {
  await openPage(page);
  await type(page, 'echo para-copiar');
  await rows(page).filter({ hasText: /^para-copiar$/ }).dblclick({ position: { x: 8, y: 10 } });
  await page.keyboard.press('Control+c');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('para');
  await page.keyboard.type('sin terminar');
  await page.keyboard.press('Control+c');
  await waitForPrompt(page);
  expect(await terminalText(page)).toMatch(/sin terminar\^C\n/);
});

test('a line that was wrapped is copied as one line', async ({ page }) => {
  await openPage(page);
  const long = 'abcdefghij'.repeat(30);
  await type(page, `echo ${long}`);
  const copied = await page.evaluate(() => {
    const view = document.querySelector('[data-capas="row"]').parentElement.parentElement;
    getSelection().selectAllChildren(view);
    const clipboard = new DataTransfer();
    view.dispatchEvent(new ClipboardEvent('copy', { clipboardData: clipboard, bubbles: true, cancelable: true }));
    return clipboard.getData('text/plain');
  });
  expect(copied.split('\n')).toContain(long);
});

test('what scrolled away can be scrolled back to, and a key returns to the prompt', async ({ page }) => {
  await openPage(page);
  await type(page, 'i=0; while [ $i -lt 150 ]; do echo linea-$i; i=$((i + 1)); done');
  const first = rows(page).filter({ hasText: /^linea-0$/ });
  await expect(first).not.toBeInViewport();
  for (let n = 0; n < 12; n += 1) await page.keyboard.press('Shift+PageUp');
  await expect(first).toBeInViewport();
  await page.getByRole('button', { name: 'Bajar hasta el final' }).click();
  await expect(first).not.toBeInViewport();
  for (let n = 0; n < 12; n += 1) await page.keyboard.press('Shift+PageUp');
  await keys(page).press('x');
  await expect(first).not.toBeInViewport();
});

test('the terminal has the size of its pane and follows it', async ({ page }) => {
  await openPage(page);
  const size = async () => {
    await type(page, 'stty size');
    const found = [...(await terminalText(page)).matchAll(/^(\d+) (\d+)$/gm)].at(-1);
    return found.slice(1).map(Number);
  };
  await keys(page).focus();
  const [high, wide] = await size();
  expect(wide).toBeGreaterThan(70);
  await page.setViewportSize({ width: 768, height: 700 });
  await page.waitForTimeout(300);
  const [lower] = await size();
  expect(lower).toBeLessThan(high);
});

test('two terminals are on one machine', async ({ page }) => {
  await openPage(page);
  await type(page, 'echo compartido > /tmp/fichero');
  await page.getByRole('button', { name: 'Abrir otra terminal' }).click();
  await waitForPrompt(page);
  await type(page, 'cat /tmp/fichero');
  expect(await terminalText(page)).toContain('\ncompartido\n');
  await page.getByRole('button', { name: 'Terminal 1' }).click();
  await expect.poll(() => terminalText(page)).toContain('echo compartido');
});

test('Tab stays in the terminal, Shift-Tab leaves it', async ({ page }) => {
  await openPage(page);
  await keys(page).focus();
  await page.keyboard.press('Tab');
  await expect(keys(page)).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  await expect(keys(page)).not.toBeFocused();
});

test('output is read out when the prompt is back', async ({ page }) => {
  await openPage(page);
  await type(page, 'echo leeme');
  await expect(page.getByRole('log')).toContainText('leeme');
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('keys that a phone lacks are under the terminal', async ({ page }) => {
    await openPage(page);
    await keys(page).focus();
    await page.keyboard.type('sleep 100\n');
    await expect(terminal(page)).toHaveAttribute('data-busy', 'true');
    await page.getByRole('button', { name: 'Ctrl', exact: true }).tap();
    await page.keyboard.insertText('c');
    await waitForPrompt(page);
    await page.getByRole('button', { name: '↑' }).tap();
    await expect.poll(() => terminalText(page)).toMatch(/\$ sleep 100$/);
    await expectNoSidewaysScroll(page);
  });

  test('the layers are one tab away, and news of them shows', async ({ page }) => {
    await openPage(page);
    await page.getByRole('button', { name: /docker image pull ubuntu/ }).tap();
    await page.getByRole('button', { name: /Ver ›/ }).tap();
    await expect(page.locator('[data-image="ubuntu:latest"]')).toBeInViewport();
    await page.getByRole('button', { name: 'Terminal', exact: true }).tap();
    await expect(keys(page)).toBeInViewport();
  });
});
