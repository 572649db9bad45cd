// A citizen asks the registers what they have, in a real browser: with and without scripts, in every language, on narrow and wide screens. Then
// the questions are in the proved list as the citizen's own.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { logIn, logInAgain, openBrowser, startDemonstration } from './demonstration.mjs';
import { accessible, fits, picture } from './look.mjs';

let demo;

before(async () => { demo = await startDemonstration(); });
after(async () => { await demo?.stop(); });

const proved = (page) => page.waitForSelector('#urteil[data-verdict="proved"]', { timeout: 30_000 });

/** Asks all registers. Resolves when the counters, which are the last of the answers, are there. */
async function ask(page) {
  await page.click('#fragen button');
  await page.waitForSelector('#ergebnis', { timeout: 60_000 });
  await page.waitForLoadState();
}

const counts = (page) => page.$$eval('[data-count]', (all) => all.map((one) => [one.dataset.count, Number(one.textContent)]));

/** Checks a page for accessibility and width, in light and dark, and takes pictures of it. */
async function look(page, name) {
  for (const [size, width, height] of [['light', 1280, 900], ['phone', 390, 844], ['narrow', 320, 640]]) {
    await page.setViewportSize({ width, height });
    await picture(page, `${name}-${size}`);
    await fits(page, `${name} ${size}`);
    await accessible(page, `${name} ${size}`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture(page, `${name}-dark`);
  await accessible(page, `${name} dark`);
  await page.emulateMedia({ colorScheme: 'light' });
}

for (const [javaScriptEnabled, user] of [[true, 'emma'], [false, 'deniz']]) {
  test(`registers answer a citizen ${javaScriptEnabled ? 'with' : 'without'} scripts`, async () => {
    const browser = await openBrowser({ javaScriptEnabled });
    try {
      const { page } = browser;
      await logIn(page, demo.facts, user);
      await page.click('.ec-nav a[href="/de/meine-daten"]');
      await ask(page);
      assert.deepEqual(await counts(page), [['gefragt', 3], ['gefunden', 2], ['nichts', 0], ['unerreichbar', 1]]);
      const shown = await page.innerText('#antworten');
      assert.match(shown, user === 'emma' ? /WVWZZZ1KZAW000001/ : /RF-DY 91/);
      assert.doesNotMatch(shown, user === 'emma' ? /Hafengasse/ : /Lindenstraße/);
      // The counters come last and are shown first.
      const top = (selector) => page.locator(selector).first().boundingBox().then((box) => box.y);
      assert.ok(await top('#ergebnis') < await top('.ec-answer'));
      const missing = page.locator('.ec-answer', { has: page.locator('button') });
      assert.equal(await missing.getAttribute('data-register'), 'bund:kba:zfer');
      await missing.locator('button').click();
      await page.waitForSelector('#ergebnis', { timeout: 60_000 });
      assert.deepEqual((await counts(page))[0], ['gefragt', 1]);
      assert.deepEqual(browser.complaints, []);
    } finally {
      await browser.close();
    }
  });
}

test('the pages are accessible and fit, and the questions are in the proved list as the citizen\'s own', async () => {
  const browser = await openBrowser();
  try {
    const { page } = browser;
    await logIn(page, demo.facts, 'janusz');
    for (const lang of ['de', 'en', 'leicht']) {
      await page.goto(`${demo.facts.portal}/${lang}/meine-daten`);
      await look(page, `meine-daten-${lang}`);
      await ask(page);
      await look(page, `meine-daten-antwort-${lang}`);
    }
    await logInAgain(page, demo.facts, 'janusz');
    await proved(page);
    const title = await page.innerText('#urteil h2');
    await page.goto(`${demo.facts.portal}/de/besuche`);
    await proved(page);
    const own = page.locator('[data-row]', { hasText: 'Von Ihnen veranlasst' });
    assert.ok(await own.count() >= 6, await page.innerText('main'));
    await look(page, 'besuche-mit-anfragen');
    await own.first().locator('a').click();
    await proved(page);
    assert.match(await page.innerText('main'), /Sie selbst/);
    await look(page, 'eigene-anfrage');
    await page.goto(`${demo.facts.portal}/de/abrufe`);
    await proved(page);
    const rows = await page.locator('[data-row]').count();
    assert.ok(title.startsWith(`${rows} Abruf`), `${title}, with ${rows} rows`);
    assert.doesNotMatch(await page.innerText('main'), /Bundesverwaltungsamt/);
    assert.deepEqual(browser.complaints, []);
  } finally {
    await browser.close();
  }
});
