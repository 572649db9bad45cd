// A citizen's pages in a real browser, as different people see them: every page in every language, on narrow and wide
// screens, in dark and forced colours, by keyboard, and by ear.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { evidenceRequest, logIn, openBrowser, startDemonstration } from './demonstration.mjs';
import { accessible, fits, picture } from './look.mjs';

const QUESTION = evidenceRequest();

let demo;
let browser;
let paths;

before(async () => {
  demo = await startDemonstration();
  for (let number = 0; number < 26; number += 1) {
    const body = JSON.stringify({ ...QUESTION, request_reference: `SEITEN-${number}` });
    const headers = { 'content-type': 'application/json' };
    await fetch(`${demo.facts.connectors.rheinfurt}/evidence`, { method: 'POST', body, headers });
  }
  browser = await openBrowser();
  await logInFresh();
  const entry = await browser.page.getAttribute('#neu [data-row]', 'data-row');
  paths = {
    overview: '/uebersicht',
    list: '/abrufe',
    found: '/abrufe?q=wohngeld&sort=behoerde',
    none: '/abrufe?q=nichts',
    second: '/abrufe?seite=2',
    visits: '/besuche',
    detail: `/abrufe/${entry}`,
    proof: `/abrufe/${entry}/pruefung`,
    ask: `/abrufe/${entry}/fragen`,
    letter: `/abrufe/${entry}/fragen?was=auskunft&nummer=ja`,
  };
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

let loggedIn = 0;
/** A login of the last minutes: an old list is another case. */
async function logInFresh() {
  if (Date.now() - loggedIn < 120_000) return;
  const { page } = browser;
  await page.goto(`${demo.facts.portal}/de/anmelden`);
  await page.click('[data-user="emma"]');
  await page.waitForURL('**/de/uebersicht');
  await proved(page);
  loggedIn = Date.now();
}

const proved = (page) => page.waitForSelector('#urteil[data-verdict="proved"]');

async function open(path, lang = 'de') {
  await logInFresh();
  await browser.page.goto(`${demo.facts.portal}/${lang}${path}`);
  await proved(browser.page);
}

const opened = () => browser.page.$$eval('details', (all) => all.forEach((one) => { one.open = true; }));

for (const lang of ['de', 'en', 'leicht']) {
  test(`every page of a citizen is accessible and fits: ${lang}`, async () => {
    const { page } = browser;
    for (const [name, path] of Object.entries(paths)) {
      await page.setViewportSize({ width: 1280, height: 900 });
      await open(path, lang);
      await picture(browser.page, `${name}-${lang}-light`);
      await accessible(browser.page, `${name} ${lang}`);
      await page.emulateMedia({ colorScheme: 'dark' });
      if (lang === 'de') await picture(browser.page, `${name}-dark`);
      await accessible(browser.page, `${name} ${lang} dark`);
      await page.emulateMedia({ colorScheme: 'light', forcedColors: 'active' });
      await accessible(browser.page, `${name} ${lang} forced colours`);
      await page.emulateMedia({ forcedColors: 'none' });
      await page.setViewportSize({ width: 390, height: 844 });
      await fits(browser.page, `${name} ${lang} 390`);
      const { y, height } = await page.locator('#urteil').boundingBox();
      assert.ok(y + height <= 844, `the verdict is outside of the first screen: ${name} ${lang}: ${y + height}`);
      if (lang !== 'en') await picture(browser.page, `${name}-${lang}-390`);
      // 320 pixels are also what 1280 are at 400 %.
      await page.setViewportSize({ width: 320, height: 844 });
      await opened();
      await fits(browser.page, `${name} ${lang} 320`);
      await accessible(browser.page, `${name} ${lang} 320, opened`);
      assert.equal(await page.getAttribute('#urteil', 'data-verdict'), 'proved', 'opening is no change of the page');
    }
    if (lang !== 'de') return;
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ media: 'print' });
    for (const name of ['overview', 'list', 'detail', 'letter']) {
      await open(paths[name]);
      await picture(browser.page, `${name}-print`);
    }
    await page.emulateMedia({ media: null });
  });
}

test('a changed letter breaks the proof, and the right text repairs it', async () => {
  const { page } = browser;
  await page.setViewportSize({ width: 1280, height: 900 });
  await open(paths.proof);
  const digits = await page.textContent('#weg .ec-digits >> nth=-1');
  await page.focus('#probe');
  await page.keyboard.press('End');
  await page.keyboard.type('!');
  await page.waitForSelector('#probe-ergebnis.ec-wrong');
  assert.match(await page.innerText('#probe-ergebnis'), /steht nicht im Protokoll/);
  assert.notEqual(await page.textContent('#weg .ec-digits >> nth=-1'), digits);
  await picture(browser.page, 'proof-broken');
  await accessible(browser.page, 'a broken proof');
  await page.keyboard.press('Backspace');
  await page.waitForSelector('#probe-ergebnis.ec-same');
  assert.equal(await page.getAttribute('#urteil', 'data-verdict'), 'proved', 'trying is no change of the page');
});

test('a letter is changed and copied without the server', async () => {
  const { page } = browser;
  await browser.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(paths.letter);
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.fill('#brief', 'Mein Text');
  await page.click('#kopieren');
  await page.waitForFunction(() => document.querySelector('#kopiert').textContent !== '');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'Mein Text');
  assert.equal(await page.getAttribute('#urteil', 'data-verdict'), 'proved');
  assert.deepEqual(requests, []);
});

test('the keyboard reaches everything, from the skip link on', async () => {
  const { page } = browser;
  await open(paths.list);
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className.includes('ec-skip')), true);
  await page.keyboard.press('Enter');
  const reached = new Set();
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => {
      const { activeElement: element } = document;
      const box = element.getBoundingClientRect();
      return box.width > 0 && box.height > 0 ? element.id || element.textContent.trim().slice(0, 40) : '';
    }));
  }
  for (const expected of ['q', 'wer', 'ergebnis', 'Suchen', 'Besuche ansehen', 'Nächste Seite', 'Was heißt das?']) {
    assert.ok(reached.has(expected), `${expected}: ${[...reached].join(', ')}`);
  }
});

test('what a screen reader announces is the verdict, once', async () => {
  const { page } = browser;
  await page.addInitScript(() => {
    globalThis.spoken = [];
    const note = () => {
      const region = document.querySelector('#urteil');
      const title = region?.querySelector('.kern-title')?.textContent;
      const said = title && `${region.getAttribute('role')}: ${title.replace(/\d+/g, 'N')}`;
      if (said && globalThis.spoken.at(-1) !== said) globalThis.spoken.push(said);
    };
    new MutationObserver(note).observe(document, { subtree: true, childList: true, characterData: true });
  });
  await open(paths.overview);
  assert.deepEqual(await page.evaluate(() => globalThis.spoken), [
    'status: Ihr Browser hat diese Seite noch nicht geprüft',
    'status: Ihr Browser prüft diese Seite …',
    'status: N Abrufe – und keiner fehlt',
  ]);
});

test('the end of the session is in view, and a click prolongs it without leaving the page', async () => {
  const { page } = browser;
  await open(paths.letter);
  await page.fill('#brief', 'Noch nicht fertig');
  // What the script does a minute before the end.
  await page.evaluate(() => {
    const [notice, warning] = document.querySelector('#sitzung').children;
    notice.hidden = true;
    warning.hidden = false;
  });
  const box = await page.locator('#sitzung [role="alert"]').boundingBox();
  assert.ok(box.y >= 0 && box.y + box.height <= 900, 'the warning is on the screen');
  await picture(browser.page, 'session-warning');
  await accessible(browser.page, 'session warning');
  await page.click('#sitzung [role="alert"] a');
  await page.waitForFunction(() => document.querySelector('#sitzung').children[1].hidden);
  assert.equal(await page.inputValue('#brief'), 'Noch nicht fertig');
  assert.equal(await page.getAttribute('#urteil', 'data-verdict'), 'proved');
});

test('a logout in one tab empties the other one, and the back button shows nothing', async () => {
  const { page } = browser;
  await open(paths.list);
  const other = await browser.context.newPage();
  await other.goto(`${demo.facts.portal}/de/uebersicht`);
  await other.click('#abmelden');
  await other.waitForURL('**/abgemeldet');
  await other.goBack();
  await other.waitForSelector('#fehler');
  assert.equal(await other.$('[data-row]'), null);
  await other.close();
  await page.bringToFront();
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await page.waitForURL('**/abgemeldet');
  loggedIn = 0;
});

test('a page that needs a login is shown after it', async () => {
  const { page } = browser;
  await browser.context.clearCookies();
  await page.goto(`${demo.facts.portal}/de${paths.detail}`);
  await page.getByRole('link', { name: 'Noch einmal anmelden' }).click();
  await page.click('[data-user="emma"]');
  await page.waitForURL(`**/de${paths.detail}`);
  await proved(page);
  assert.deepEqual(browser.complaints.filter((line) => !line.includes('401') && !line.includes('405')), []);
});
