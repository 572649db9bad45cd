// The public pages in a real browser: readable on every device, and what the browser's program proves on them.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { logIn, openBrowser, startDemonstration } from './demonstration.mjs';
import { accessible, fits, picture } from './look.mjs';

const PAGES = [
  '/', '/registerlandkarte', '/registerlandkarte?q=Wer+darf+meine+Meldedaten+sehen', '/registerlandkarte?q=nichtsdergleichen',
  '/registerlandkarte?stand=2020-01-01', '/registerlandkarte/erlaubnis/wohngeld-buergergeld', '/registerlandkarte/register/melderegister',
  '/registerlandkarte/behoerdenart/wohngeldbehoerde', '/protokoll', '/protokoll/zeugen', '/protokoll/loeschungen', '/protokoll/widersprueche',
  '/protokoll/eintrag', '/protokoll/eintrag/0', '/protokoll/eintrag/2', '/so-wird-geprueft', '/selbst-pruefen', '/was-wird-aufgezeichnet', '/hilfe', '/impressum',
  '/datenschutz', '/barrierefreiheit', '/gestaltung',
];
let demo;

before(async () => { demo = await startDemonstration(); });
after(async () => { await demo?.stop(); });

// The pages that are also in easy German.
const EASY = ['/', '/registerlandkarte', '/protokoll', ...PAGES.slice(PAGES.indexOf('/so-wird-geprueft'))];

const nameOf = (path) => path.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '') || 'start';

const LOOKS = [
  { name: 'light', viewport: { width: 1280, height: 900 } },
  { name: 'dark', viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
  { name: 'phone', viewport: { width: 390, height: 844 } },
  // 400 % of a window that is 1280 wide.
  { name: 'narrow', viewport: { width: 320, height: 640 } },
  { name: 'forced', viewport: { width: 1280, height: 900 }, forcedColors: 'active' },
];

for (const { name, ...look } of LOOKS) {
  test(`every public page is accessible and fits: ${name}`, async () => {
    const browser = await openBrowser(look);
    try {
      const { page } = browser;
      for (const lang of ['de', 'en', 'leicht']) {
        for (const path of lang === 'leicht' ? EASY : PAGES) {
          const what = `${name} /${lang}${path}`;
          const answer = await page.goto(`${demo.facts.portal}/${lang}${path}`);
          assert.equal(answer.status(), 200, what);
          if (lang !== 'en') await picture(page, `${name}-${lang}-${nameOf(path)}`);
          await accessible(page, what);
          await fits(page, what);
        }
      }
      assert.deepEqual(browser.complaints, []);
    } finally {
      await browser.close();
    }
  });
}

test('only public pages that prove something load the WebAssembly', async () => {
  const browser = await openBrowser();
  try {
    const { page } = browser;
    const loaded = new Set();
    page.on('request', (request) => { if (request.url().includes('.wasm')) loaded.add(new URL(page.url()).pathname); });
    for (const path of PAGES) {
      await page.goto(`${demo.facts.portal}/de${path}`, { waitUntil: 'networkidle' });
    }
    assert.deepEqual([...loaded].sort(), ['/de/protokoll/eintrag', '/de/protokoll/widersprueche', '/de/selbst-pruefen',
      '/de/so-wird-geprueft']);
  } finally {
    await browser.close();
  }
});

/** Chooses a file in the field that the browser's program has made, and returns what it says. */
async function checked(page, file) {
  await page.setInputFiles('#datei', file);
  await page.waitForSelector('#antwort');
  const state = await page.getAttribute('#antwort', 'data-answer');
  return [state, await page.innerText('#antwort')];
}

test('the browser checks a file by itself and uploads nothing', async () => {
  const browser = await openBrowser();
  const folder = mkdtempSync(join(tmpdir(), 'einsicht-file-'));
  try {
    const { page } = browser;
    await logIn(page, demo.facts, 'emma');
    await page.waitForSelector('#urteil[data-verdict="proved"]');
    const bundle = await (await page.request.get(`${demo.facts.portal}/de/abrufe/buendel`)).body();
    const receipt = await (await page.request.get(`${demo.facts.portal}/de/protokoll/eintrag/5.tlog-proof`)).body();
    const write = (name, bytes) => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    };
    const changed = Buffer.from(bundle);
    changed[Math.floor(changed.length / 2)] ^= 1;
    await page.goto(`${demo.facts.portal}/de/selbst-pruefen`);
    await page.waitForSelector('#datei');
    const requests = [];
    page.on('request', (request) => requests.push(request.url()));
    for (const [file, state, words] of [
      [write('eintraege.bundle', bundle), 'sound', /Geprüft: \d+ Abrufe?, \d+ Besuche? – und keiner fehlt.*mit dem Ende 384/s],
      [write('veraendert.bundle', changed), 'refused', /Diese Datei stimmt nicht|keine Datei von hier/],
      [write('eintrag-5.tlog-proof', receipt), 'sound', /Eintrag 5 steht im Protokoll/],
      [write('brief.txt', 'Guten Tag'), 'refused', /keine Datei von hier/],
    ]) {
      await page.evaluate(() => document.querySelector('#antwort')?.remove());
      const [found, said] = await checked(page, file);
      assert.equal(found, state, said);
      assert.match(said, words);
    }
    await picture(page, 'file-refused');
    await accessible(page, 'a refused file');
    assert.deepEqual(requests, [], 'nothing is uploaded');
    assert.deepEqual(browser.complaints, []);
  } finally {
    rmSync(folder, { recursive: true });
    await browser.close();
  }
});

test('anybody can change an invented entry and see the proof break', async () => {
  const browser = await openBrowser();
  try {
    const { page } = browser;
    await page.goto(`${demo.facts.portal}/de/so-wird-geprueft`);
    await page.waitForSelector('#beispiel-ergebnis[data-answer="sound"]');
    assert.match(await page.innerText('#beispiel-ergebnis'), /erfundene Beispiel selbst geprüft.*3 Abrufe, 1 Besuch – und keiner fehlt/s);
    const root = () => page.textContent('#weg svg .ec-digits >> nth=-1');
    const own = await root();
    // By the keyboard alone, and without a request.
    const requests = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.focus('#probe');
    await page.keyboard.press('End');
    await page.keyboard.type('!');
    await page.waitForSelector('#probe-ergebnis.ec-wrong');
    assert.match(await page.innerText('#probe-ergebnis'), /steht nicht im Protokoll/);
    assert.notEqual(await root(), own);
    await picture(page, 'checking-broken');
    await accessible(page, 'a broken example');
    await page.keyboard.press('Backspace');
    await page.waitForSelector('#probe-ergebnis.ec-same');
    assert.equal(await root(), own);
    // The table says what the server has computed for the same text.
    const other = await page.textContent('#kaputt tbody tr:nth-child(2) th');
    await page.fill('#probe', other);
    await page.waitForSelector('#probe-ergebnis.ec-wrong');
    assert.equal(await root(), await page.textContent('#kaputt tbody tr:nth-child(2) td:nth-child(3)'));
    assert.deepEqual(requests, [], 'what is typed stays in the browser');
    await page.route('**/so-wird-geprueft/beweis', async (route) => {
      const body = await (await route.fetch()).body();
      body[Math.floor(body.length / 2)] ^= 1;
      await route.fulfill({ status: 200, contentType: 'application/cbor', body });
    });
    await page.reload();
    await page.waitForSelector('#beispiel-ergebnis[data-answer="refused"]');
    assert.equal(await page.$('#probe'), null, 'nothing to try on what is not proved');
    assert.deepEqual(browser.complaints, []);
  } finally {
    await browser.close();
  }
});

test('in forced colours a field keeps its edge, and the picture its digits', async () => {
  const browser = await openBrowser({ forcedColors: 'active' });
  try {
    const { page } = browser;
    await page.goto(`${demo.facts.portal}/de/so-wird-geprueft`);
    await page.waitForSelector('#probe');
    const [edge, digits, ground] = await page.evaluate(() => [
      getComputedStyle(document.querySelector('#probe')).borderBottomWidth,
      getComputedStyle(document.querySelector('#weg .ec-digits')).fill,
      getComputedStyle(document.querySelector('#weg .ec-node')).fill,
    ]);
    assert.equal(edge, '1px');
    assert.notEqual(digits, ground);
    await picture(page, 'checking-forced');
  } finally {
    await browser.close();
  }
});

test('a device compares the state that it has seen with the one of the server', async () => {
  const browser = await openBrowser();
  try {
    const { page } = browser;
    const compare = async () => {
      await page.goto(`${demo.facts.portal}/de/protokoll/widersprueche`);
      await page.waitForSelector('#geraet-ergebnis');
      return [await page.getAttribute('#geraet-ergebnis', 'data-answer'), await page.innerText('#geraet-ergebnis')];
    };
    assert.match((await compare())[1], /noch nichts gemerkt/);
    await logIn(page, demo.facts, 'emma');
    await page.waitForSelector('#urteil[data-verdict="proved"]');
    const [state, said] = await compare();
    assert.equal(state, 'sound', said);
    assert.match(said, /nur gewachsen, seit Ihr Gerät es am/);
    await picture(page, 'device-sound');
    await page.route('**/protokoll/fassung**', (route) => route.fulfill({ status: 200, contentType: 'application/cbor', body: 'x' }));
    assert.equal((await compare())[0], 'unknown');
    await page.unrouteAll();
    // The device has seen another root.
    await page.evaluate(() => {
      const key = 'einsicht';
      const text = localStorage.getItem(key);
      const at = text.indexOf(text.match(/64726f6f745820/)[0]) + 14;
      localStorage.setItem(key, text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1));
    });
    const [refused, alarm] = await compare();
    assert.equal(refused, 'refused', alarm);
    assert.match(alarm, /passt nicht zu dem, was Ihr Gerät/);
    await accessible(page, 'a refused state');
  } finally {
    await browser.close();
  }
});

test('without JavaScript the server checks a receipt and a state', async () => {
  const browser = await openBrowser({ javaScriptEnabled: false });
  try {
    const { page } = browser;
    const receipt = await (await page.request.get(`${demo.facts.portal}/de/protokoll/eintrag/5.tlog-proof`)).text();
    await page.goto(`${demo.facts.portal}/de/protokoll/eintrag`);
    await page.fill('#beleg', receipt);
    await page.focus('form[method="post"] button');
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    assert.match(await page.innerText('h1'), /Eintrag 5/);
    await page.goto(`${demo.facts.portal}/de/protokoll`);
    const state = await page.textContent('#checkpoint');
    await page.goto(`${demo.facts.portal}/de/protokoll/widersprueche`);
    await page.fill('#fassung', state);
    await page.focus('form[method="post"] button');
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    assert.match(await page.getAttribute('#vergleich', 'data-compared'), /same|grown|newer/);
  } finally {
    await browser.close();
  }
});
