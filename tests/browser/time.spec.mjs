// Undo, redo, going back, branching off, comparing: all by keyboard and by click, at a desk's and a phone's width.
import { test, expect, openPage, type, waitForPrompt, terminal, SIZES, expectAxeClean, expectNoSidewaysScroll } from './fixtures.mjs';

const bar = (page) => page.locator('[data-capas="timeline"]');
const undo = (page) => page.locator('[data-capas="undo"]');
const redo = (page) => page.locator('[data-capas="redo"]');
const screen = (page) => terminal(page).locator('[data-capas="row"]');

test('undo brings back what rm -f took, redo takes it again', async ({ page }) => {
  await openPage(page, './?speed=instant');
  await type(page, 'docker create --name web nginx');
  await type(page, 'docker rm -f web');
  await type(page, 'docker ps -a --format "{{.Names}}:"');
  await expect(bar(page)).toHaveAttribute('data-commands', '3');
  await undo(page).click();
  await undo(page).click();
  await expect(bar(page)).toHaveAttribute('data-at', '1');
  await waitForPrompt(page);
  await expect(terminal(page)).not.toContainText('rm -f');
  await redo(page).click();
  await expect(bar(page)).toHaveAttribute('data-at', '2');
  await expect(terminal(page)).toContainText('rm -f');
  await redo(page).click();
  await expect(redo(page)).toBeDisabled();
});

test('typing in the past begins another session, and the one that was left can be gone back to', async ({ page }) => {
  await openPage(page, './?lang=en&speed=instant');
  await type(page, 'echo one > f');
  await type(page, 'echo two > f');
  await undo(page).click();
  await expect(bar(page)).toHaveAttribute('data-at', '1');
  await waitForPrompt(page);
  await type(page, 'cat f');
  await expect(screen(page).filter({ hasText: /^one$/ })).toHaveCount(1);
  await expect(bar(page)).toHaveAttribute('data-commands', '2');
  const notice = page.locator('[data-capas="notice"]');
  await expect(notice).toContainText('Another story begins');
  await notice.getByRole('button', { name: 'Go back to it' }).click();
  // Until then the prompt is that of the session which is left.
  await expect(notice).toContainText('Session restored');
  await waitForPrompt(page);
  await type(page, 'cat f');
  await expect(screen(page).filter({ hasText: /^two$/ })).toHaveCount(1);
});

test('a mark tells what its command did, and compares', async ({ page }) => {
  await openPage(page, './?lang=en&speed=instant');
  await type(page, 'docker pull alpine');
  await type(page, 'docker run --name box alpine touch /new');
  await type(page, 'docker rm missing');
  const marks = bar(page).locator('[data-at]').locator('visible=true');
  await page.getByRole('button', { name: /^Command 2: / }).click();
  const detail = page.locator('[data-capas="command"]');
  await expect(detail).toContainText('Created the container box');
  await expect(detail).toContainText('/new is new in the writable layer of box');
  await detail.getByRole('button', { name: 'Compare' }).click();
  await expect(page.locator('[data-capas="compared"]')).toContainText('box');
  await expect(page.getByRole('button', { name: /^Command 3: docker rm missing. Failed/ })).toBeVisible();
  expect(await marks.count()).toBeGreaterThan(2);
  await detail.getByRole('button', { name: 'Go to before this command' }).click();
  await expect(bar(page)).toHaveAttribute('data-at', '1');
});

test('the timeline works by keyboard; Ctrl-Z stays the terminal\'s', async ({ page }) => {
  await openPage(page, './?lang=en');
  await type(page, 'true');
  await type(page, 'false');
  await page.getByRole('button', { name: /^Command 2: / }).focus();
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('button', { name: /^Command 1: / })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('[data-capas="command"]')).toContainText('true');
  await page.keyboard.press('Escape');
  await expect(page.locator('[data-capas="command"]')).toHaveCount(0);
  await type(page, 'sleep 100', { wait: false });
  await page.keyboard.press('Control+z');
  await waitForPrompt(page);
  await expect(terminal(page)).toContainText('Stopped');
  await expect(bar(page)).toHaveAttribute('data-commands', '3');
});

for (const size of SIZES) {
  test(`the bar fits and is accessible at ${size.width} px`, async ({ page }) => {
    await page.setViewportSize(size);
    await openPage(page, './?lang=en&speed=instant');
    for (const word of ['ls', 'docker pull alpine', 'docker run alpine true', 'docker rm missing']) await type(page, word);
    await page.getByRole('button', { name: /^Command 3: / }).click();
    await expectAxeClean(page);
    await expectNoSidewaysScroll(page);
    const box = await bar(page).boundingBox();
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(size.width);
    expect(box.y + box.height).toBeLessThanOrEqual(size.height + 1);
  });
}

test('a refusal is explained with this session\'s names, and a repair goes to the prompt', async ({ page }) => {
  await openPage(page, './?lang=en&speed=instant');
  await type(page, 'docker run -d --name web -p 8080:80 nginx');
  await type(page, 'docker run -d --name other -p 8080:80 nginx');
  await page.getByRole('button', { name: /^Command 2: / }).click();
  const why = page.locator('[data-capas="why"]');
  await expect(why).toContainText('Port 8080 of the host leads to web already');
  await why.getByRole('button', { name: /docker stop web && docker start other$/ }).click();
  await expect(terminal(page)).toContainText('$ docker stop web && docker start other');
  await expect(bar(page)).toHaveAttribute('data-commands', '2');
});

test('two steps back need no waiting, and what the last command did is a click away', async ({ page }) => {
  await openPage(page, './?lang=en&speed=instant');
  for (const name of ['one', 'two', 'three']) await type(page, `docker create --name ${name} alpine`);
  await page.evaluate(() => {
    const undo = document.querySelector('[data-capas="undo"]');
    undo.click();
    setTimeout(() => undo.click(), 0);
  });
  await expect(bar(page)).toHaveAttribute('data-at', '1');
  await waitForPrompt(page);
  await page.locator('[data-capas="ask"]').click();
  await expect(page.locator('[data-capas="command"]')).toContainText('Created the container one');
});

test('what is told of a session goes when the student has gone on', async ({ page }) => {
  await openPage(page, './?lang=en&speed=instant');
  await type(page, 'true');
  await undo(page).click();
  await waitForPrompt(page);
  await type(page, 'true');
  const notice = page.locator('[data-capas="notice"]');
  await expect(notice).toContainText('Another story begins');
  await type(page, 'true');
  await expect(notice).toHaveText('');
});

test('what Docker refused is asked for by name', async ({ page }) => {
  await openPage(page, './?lang=en&speed=instant');
  await type(page, 'docker rm missing');
  await page.getByRole('button', { name: 'Why did it fail?' }).click();
  await expect(page.locator('[data-capas="why"]')).toContainText('No container has the name or id missing');
});
