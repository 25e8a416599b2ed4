// The small browser: pages of the machine's own servers in a frame that reaches nothing else.
import { expect, expectAxeClean, expectNoSidewaysScroll, openPage, test, type } from './fixtures.mjs';

const pane = (page) => page.locator('[data-capas="browser"]');
const inside = (page) => page.frameLocator('[data-capas="page"]');
const address = (page) => pane(page).getByRole('textbox', { name: 'Dirección' });
const visit = async (page, where) => { await address(page).fill(where); await address(page).press('Enter'); };

/** A server whose files the test writes. */
async function serve(page, files) {
  await type(page, 'docker run -d --name web -p 8080:80 nginx', { timeout: 60_000 });
  for (const [name, text] of Object.entries(files)) {
    await type(page, `printf '%s' '${text}' > ${name}`);
    await type(page, `docker cp ${name} web:/usr/share/nginx/html/`);
  }
  await type(page, 'xdg-open http://localhost:8080/');
}

test('a published page shows what the container holds, and changes when that changes', async ({ page }) => {
  await openPage(page);
  await serve(page, {});
  await expect(inside(page).getByRole('heading', { name: 'Welcome to nginx!' })).toBeVisible();
  await expect(address(page)).toHaveValue('localhost:8080/');
  await expect(pane(page)).toContainText('200 · text/html');
  await expect(pane(page)).toContainText('Responde web');
  await type(page, "docker exec web sh -c 'echo \"<h1>Hola $((40 + 2))</h1>\" > /usr/share/nginx/html/index.html'");
  await pane(page).getByRole('button', { name: 'Recargar' }).click();
  await expect(inside(page).getByRole('heading', { name: 'Hola 42' })).toBeVisible();
  // The server saw a request, as from any browser.
  await type(page, 'docker logs web 2>&1 | grep -c Capas');
  await expect(page.locator('[data-capas="row"]').filter({ hasText: /^2$/ })).toBeVisible();
  await expectAxeClean(page);
});

test('style sheets, scripts, pictures, links and forms of the page work', async ({ page }) => {
  await openPage(page);
  await serve(page, {
    'index.html': '<!DOCTYPE html><title>Uno</title><link rel=stylesheet href=/s.css><img src=p.svg alt=punto>'
      + '<p id=a>sin</p><script src=j.js></script><a href=/dos.html>Sigue</a>',
    's.css': '@import "t.css"; p { color: rgb(1, 2, 3) }',
    't.css': 'body { background: rgb(4, 5, 6) }',
    'j.js': 'document.getElementById("a").textContent = "con"; fetch("dato.txt").then((r) => r.text()).then((t) => { document.title = t; document.getElementById("a").append(" " + t) })',
    'p.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"><rect width="7" height="7"/></svg>',
    'dos.html': '<h1>Dos</h1><form action=/uno><input name=q value="a b"><button>Enviar</button></form>',
    'dato.txt': 'dato',
  });
  const text = inside(page).locator('#a');
  await expect(text).toHaveText('con dato');
  await expect(text).toHaveCSS('color', 'rgb(1, 2, 3)');
  await expect(inside(page).locator('body')).toHaveCSS('background-color', 'rgb(4, 5, 6)');
  expect(await inside(page).locator('img').evaluate((img) => img.naturalWidth)).toBe(7);
  await inside(page).getByRole('link', { name: 'Sigue' }).click();
  await expect(inside(page).getByRole('heading', { name: 'Dos' })).toBeVisible();
  await expect(address(page)).toHaveValue('localhost:8080/dos.html');
  await inside(page).getByRole('button', { name: 'Enviar' }).click();
  await expect(address(page)).toHaveValue('localhost:8080/uno?q=a+b');
  await expect(pane(page)).toContainText('404');
  await pane(page).getByRole('button', { name: 'Atrás' }).click();
  await expect(inside(page).getByRole('heading', { name: 'Dos' })).toBeVisible();
  await pane(page).getByRole('button', { name: 'Adelante' }).click();
  await expect(pane(page)).toContainText('404');
});

test('a page reaches neither this page, nor what it keeps, nor a network', async ({ page, baseURL, troubles }) => {
  await openPage(page);
  const attempts = `const said = []; const note = (name, f) => { try { f(); said.push(name) } catch { } };
    note("parent", () => parent.document.body); note("cookie", () => document.cookie);
    note("storage", () => localStorage.length); note("db", () => indexedDB.open("x").readyState && 0);
    const img = new Image(); img.onload = () => said.push("img"); img.src = "${baseURL}favicon.svg";
    const xhr = new XMLHttpRequest(); xhr.onload = () => said.push("xhr");
    try { xhr.open("GET", "${baseURL}"); xhr.send() } catch { }
    try { new WebSocket("ws://localhost:9"); } catch { }
    setTimeout(() => { document.body.append("[" + said.filter((name) => name !== "db").join() + "] " + origin) }, 700);`;
  const heard = [];
  page.on('response', (response) => { if (response.frame() !== page.mainFrame()) heard.push(response.url()); });
  await type(page, 'docker run -d --name web -p 8080:80 nginx', { timeout: 60_000 });
  // The frame's own policy refuses: the browser says so in the console, which is what is wanted here.
  const { Buffer } = await import('node:buffer');
  const coded = Buffer.from(`<body><script>${attempts}</script>`).toString('base64');
  await type(page, `echo ${coded} | base64 -d > index.html; docker cp index.html web:/usr/share/nginx/html/`);
  await type(page, 'xdg-open localhost:8080');
  await expect(inside(page).locator('body')).toContainText('[] null');
  expect(heard.filter((url) => !url.endsWith('browser.html') && !/^(blob|data):/.test(url))).toEqual([]);
  const isRefusal = (trouble) => trouble.includes('violates the following Content Security Policy directive');
  expect(troubles.filter(isRefusal).length, 'refusals of a picture, a request and a socket').toBeGreaterThanOrEqual(3);
  troubles.splice(0, troubles.length, ...troubles.filter((trouble) => !isRefusal(trouble)
    && !/request to ws:/.test(trouble)));
});

test('why there is no page is said in words that lead on', async ({ page }) => {
  await openPage(page);
  await type(page, 'xdg-open http://localhost:8080');
  const alert = pane(page).getByRole('alert');
  await expect(alert).toContainText('No se puede mostrar localhost:8080');
  await expect(alert).toContainText('docker ps');
  await visit(page, 'https://example.com');
  await expect(alert).toContainText('no sale a Internet');
  await visit(page, 'web:80');
  await expect(alert).toContainText('«web»');
  // A container that listens at another port than the one that is published.
  await type(page, 'docker run -d --name mal -p 8081:8888 nginx', { timeout: 60_000 });
  await pane(page).getByRole('button', { name: /localhost:8081/ }).click();
  await expect(alert).toContainText('8888');
  await expect(alert).toContainText('docker logs mal');
  await expectAxeClean(page);
  await page.getByRole('button', { name: 'English' }).click();
  await expect(alert).toContainText('nobody in there listens');
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  test('a page that was asked for slides in, and its tab is there', async ({ page }) => {
    await openPage(page);
    await type(page, 'docker run -d -p 8080:80 nginx; xdg-open localhost:8080', { timeout: 60_000 });
    await expect(inside(page).getByRole('heading', { name: 'Welcome to nginx!' })).toBeInViewport();
    await expectNoSidewaysScroll(page);
    await page.getByRole('button', { name: 'Capas', exact: true }).tap();
    await expect(page.locator('[data-capas="layers"]')).toBeInViewport();
    await page.getByRole('button', { name: 'Navegador' }).tap();
    await expect(inside(page).getByRole('heading', { name: 'Welcome to nginx!' })).toBeInViewport();
  });
});
