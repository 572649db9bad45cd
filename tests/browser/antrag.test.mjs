// The online services in a real browser: from the login over the preview to the proved line in the cockpit.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, startDemonstration } from './demonstration.mjs';
import { accessible, fits, picture } from './look.mjs';

let demo;

before(async () => { demo = await startDemonstration(); });
after(async () => { await demo?.stop(); });

/** Checks a page for accessibility and width, and takes a picture of it. */
async function look(page, name) {
  await picture(page, `antrag-${name}`);
  await fits(page, name);
  await accessible(page, name);
}

async function begin(page, service, user) {
  await page.goto(demo.facts.antrag);
  await page.click(`a[href="/${service}"]`);
  await page.click('#anmelden');
  await page.click(`[data-user="${user}"]`);
  await page.waitForURL(`**/${service}`);
}

const reach = (page, need, stage) => page.waitForSelector(`#unterlage-${need}[data-stage="${stage}"]`, { timeout: 60_000 });

/** Gets the register's document behind its link. A real download would leave Chromium's window without frames for a while. */
async function download(page, need) {
  const response = await page.request.get(new URL(await page.getAttribute(`#dokument-${need}`, 'href'), page.url()).href);
  assert.equal(response.headers()['content-disposition'], 'attachment; filename="nachweis.pdf"');
  const content = await response.body();
  assert.equal(content.subarray(0, 5).toString(), '%PDF-');
  assert.match(content.toString('latin1'), /EmbeddedFile/);
}

/** Has evidence fetched, looks at it and decides. */
async function fetchAndDecide(page, need, decision, stage) {
  await page.click(`#abrufen-${need}`);
  await reach(page, need, 'preview');
  await page.click(`#ansehen-${need}`);
  const shown = await page.innerText('#vorschau');
  await download(page, need);
  await page.click(`#${decision}`);
  await reach(page, need, stage);
  return shown;
}

for (const [javaScriptEnabled, user] of [[true, 'emma'], [false, 'deniz']]) {
  test(`a parking permit is applied for ${javaScriptEnabled ? 'with' : 'without'} scripts and found in the cockpit`, async () => {
    const browser = await openBrowser({ javaScriptEnabled });
    try {
      const { page } = browser;
      await begin(page, 'bewohnerparken', user);
      assert.match(await fetchAndDecide(page, 0, 'zustimmen', 'received'), /Rheinfurt/);
      await fetchAndDecide(page, 1, 'zustimmen', 'received');
      await download(page, 0);
      await page.click('#absenden');
      const reference = await page.innerText('#vorgang');
      await page.click('#cockpit');
      await page.click('#anmelden');
      await page.click(`[data-user="${user}"]`);
      await page.waitForSelector('#abmelden');
      assert.doesNotMatch(await page.content(), new RegExp(reference), 'the reference is not on the page after the login');
      await page.goto(`${demo.facts.portal}/de/zugriffe`);
      const list = await page.innerText('main');
      assert.match(list, /Meldewesen/);
      assert.match(list, /Kraftfahrt-Bundesamt/);
      if (javaScriptEnabled) await page.waitForSelector('[data-verdict="proved"]', { timeout: 30_000 });
      assert.deepEqual(browser.complaints, []);
    } finally {
      await browser.close();
    }
  });
}

test('evidence that a person refuses is not used, and a file takes its place', async () => {
  const browser = await openBrowser();
  try {
    const { page } = browser;
    await begin(page, 'bewohnerparken', 'emma');
    await fetchAndDecide(page, 1, 'ablehnen', 'refused');
    assert.equal(await page.locator('#absenden').count(), 0);
    for (const need of [0, 1]) {
      await page.locator(`#unterlage-${need} summary`, { hasText: 'Selbst hochladen' }).click();
      await page.setInputFiles(`#datei-${need}`, { name: 'a.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7') });
      await page.click(`#hochladen-${need}`);
      await reach(page, need, 'uploaded');
    }
    await page.click('#absenden');
    await page.waitForSelector('#vorgang');
  } finally {
    await browser.close();
  }
});

const LOOKS = [
  { name: 'light', viewport: { width: 1280, height: 900 } },
  { name: 'dark', viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
  { name: 'phone', viewport: { width: 390, height: 844 } },
  { name: 'narrow', viewport: { width: 320, height: 640 } },
];

for (const { name, ...options } of LOOKS) {
  test(`every page of the services is accessible and fits: ${name}`, async () => {
    const browser = await openBrowser(options);
    try {
      const { page } = browser;
      await page.goto(demo.facts.antrag);
      await look(page, `start-${name}`);
      await page.goto(`${demo.facts.antrag}/bewohnerparken`);
      await look(page, `dienst-${name}`);
      await begin(page, 'bewohnerparken', 'emma');
      await look(page, `offen-${name}`);
      await page.click('#abrufen-1');
      await reach(page, 1, 'preview');
      await look(page, `angefragt-${name}`);
      await page.click('#ansehen-1');
      await look(page, `vorschau-${name}`);
      await page.click('#zustimmen');
      await reach(page, 1, 'received');
      await look(page, `erhalten-${name}`);
      await page.goto(`${demo.facts.antrag}/unbekannt`);
      await look(page, `unbekannt-${name}`);
      await page.goto(demo.facts.antrag);
      await page.click('#abmelden');
      await begin(page, 'gewerbeanmeldung', 'janusz');
      await page.click('#abrufen-0');
      await reach(page, 0, 'received');
      await page.click('#absenden');
      await page.waitForSelector('#vorgang');
      await look(page, `gesendet-${name}`);
    } finally {
      await browser.close();
    }
  });
}
