// The portal in a real browser: a citizen logs in, sees who used their data, and their own browser verifies the proofs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { logIn, openBrowser, program, startDemonstration } from './demonstration.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PICTURES = process.env.EINSICHT_PICTURES;
let demo;

before(async () => { demo = await startDemonstration(); });
after(async () => { await demo?.stop(); });

async function picture(page, name) {
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
}

async function accessible(page, what) {
  await page.evaluate(axe);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await page.evaluate((values) => globalThis.axe.run({ runOnly: { type: 'tag', values } }), tags);
  const faults = found.violations.map((fault) => `${fault.id}: ${fault.nodes.map((node) => node.html).join(' | ')}`);
  assert.deepEqual(faults, [], what);
}

const states = (page) => page.$$eval('#zugriffe [data-row]', (rows) => rows.map((row) => row.dataset.proof));

/** Waits until the browser has verified every row. */
const settled = (page) => page.waitForFunction(() => {
  const rows = [...document.querySelectorAll('#zugriffe [data-row]')];
  return rows.length > 3 && rows.every((row) => ['proved', 'failed'].includes(row.dataset.proof));
});

test('the browser proves every row and reports no error', async () => {
  const browser = await openBrowser();
  try {
    const { page } = browser;
    await logIn(page, demo.facts, 'emma');
    await settled(page);
    await picture(page, 'list');
    assert.ok((await states(page)).every((state) => state === 'proved'), (await states(page)).join());
    const text = await page.innerText('#zugriffe');
    assert.match(text, /hat am .* beim Kraftfahrt-Bundesamt/);
    assert.match(text, /in Ihrem Browser geprüft/);
    await page.waitForSelector('[data-complete="proved"]');
    const claim = await page.innerText('#vollstaendigkeit');
    assert.match(claim, /Das sind alle: \d+ Abrufe?, \d+ Einsicht/);
    assert.match(claim, /Das hat Ihr Browser geprüft/);
    await accessible(page, 'list');

    await page.locator('#zugriffe [data-row]', { hasText: 'Kraftfahrt-Bundesamt' }).first().getByRole('link').click();
    await page.waitForSelector('[data-proof="proved"]');
    await picture(page, 'detail');
    assert.match(await page.innerText('main'), /§ 45/);
    await accessible(page, 'detail');
    assert.deepEqual(browser.complaints, []);
  } finally {
    await browser.close();
  }
});

test('the verifier accepts a downloaded bundle and refuses a changed one', async () => {
  const browser = await openBrowser();
  const folder = mkdtempSync(join(tmpdir(), 'einsicht-bundle-'));
  try {
    const { page } = browser;
    await logIn(page, demo.facts, 'emma');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Alle Einträge mit Nachweis herunterladen' }).click(),
    ]);
    const file = join(folder, 'eintraege.bundle');
    await download.saveAs(file);
    const verify = (path) => spawnSync(
      program('verifier'),
      ['verify', path, '--policy', demo.facts.policy, '--genesis', demo.facts.genesis],
      { encoding: 'utf8' },
    );
    const sound = verify(file);
    assert.equal(sound.status, 0, sound.stdout + sound.stderr);
    assert.match(sound.stdout, /complete/i);
    const bytes = readFileSync(file);
    bytes[Math.floor(bytes.length / 2)] ^= 1;
    writeFileSync(file, bytes);
    assert.equal(verify(file).status, 1);
  } finally {
    rmSync(folder, { recursive: true });
    await browser.close();
  }
});

test('a proof that is changed in transit is not accepted', async () => {
  const browser = await openBrowser();
  try {
    const { page } = browser;
    let changed = 0;
    const change = async (route) => {
      const answer = await route.fetch();
      const body = await answer.body();
      // Each proof is changed at a different position.
      body[Math.floor((body.length * (++changed % 17)) / 17)] ^= 1;
      await route.fulfill({ response: answer, body });
    };
    await page.route('**/nachweis**', change);
    await page.route('**/buendel', change);
    await logIn(page, demo.facts, 'emma');
    await settled(page);
    await page.waitForSelector('[data-complete="failed"]');
    assert.match(await page.innerText('#vollstaendigkeit'), /nicht nachgewiesen, dass diese Liste vollständig ist/);
    await picture(page, 'changed');
    assert.ok(changed > 3);
    assert.ok((await states(page)).every((state) => state === 'failed'), (await states(page)).join());
  } finally {
    await browser.close();
  }
});

test('the portal works without JavaScript', async () => {
  const browser = await openBrowser({ javaScriptEnabled: false });
  try {
    const { page } = browser;
    await logIn(page, demo.facts, 'deniz');
    assert.match(await page.innerText('#zugriffe'), /hat am .* beim Kraftfahrt-Bundesamt/);
    assert.match(await page.innerText('#vollstaendigkeit'), /Das sind alle: .*Das hat der Server geprüft/s);
    await page.click('#server-pruefung button');
    await page.waitForLoadState();
    assert.match(await page.innerText('main'), /vom Server geprüft/);
    await picture(page, 'no-javascript');
    await page.click('#abmelden');
    await page.waitForLoadState();
    await page.goto(`${demo.facts.portal}/de/zugriffe`);
    assert.equal(await page.$('#zugriffe'), null, 'logged out');
  } finally {
    await browser.close();
  }
});

test('a citizen sees only their own entries, and public pages are accessible', async () => {
  const browser = await openBrowser();
  try {
    const { page } = browser;
    await logIn(page, demo.facts, 'janusz');
    const mine = await page.innerText('main');
    assert.doesNotMatch(mine, /Emma|Deniz/);
    assert.match(mine, /Zentralen? Fahrerlaubnisregister|Kraftfahrt-Bundesamt/);
    await picture(page, 'list-janusz');
    for (const path of ['/de/', '/en/', '/de/protokoll', '/de/selbst-pruefen', '/de/barrierefreiheit']) {
      const answer = await page.goto(`${demo.facts.portal}${path}`);
      assert.equal(answer.status(), 200, path);
      await picture(page, `page${path.replaceAll('/', '-')}`);
      await accessible(page, path);
    }
    assert.deepEqual(browser.complaints, []);
  } finally {
    await browser.close();
  }
});
