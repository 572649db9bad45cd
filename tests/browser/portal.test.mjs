// The portal in a real browser: a citizen logs in, sees who used their data, and their own browser verifies the proofs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { logIn, logInAgain, openBrowser, program, startDemonstration } from './demonstration.mjs';
import { accessible, picture } from './look.mjs';

let demo;

before(async () => { demo = await startDemonstration(); });
after(async () => { await demo?.stop(); });

/** Waits until the verdict has this code, and returns its text, that on demand among it. */
async function verdict(page, code) {
  await page.waitForSelector(`#urteil[data-verdict="${code}"]`);
  return page.textContent('#urteil');
}

/** Opens a page of the portal. */
const open = (page, path) => page.goto(`${demo.facts.portal}${path}`);

test('the browser proves list and access with one request each and reports no error', async () => {
  const browser = await openBrowser();
  try {
    const { page } = browser;
    const requests = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    await logIn(page, demo.facts, 'emma');
    const said = await verdict(page, 'proved');
    assert.match(said, /\d+ Abrufe? – und keiner fehlt/);
    assert.match(said, /selbst geprüft, für die ID-Nummer mit dem Ende 384/);
    assert.match(said, /Das sind alle: \d+ Abrufe?, \d+ Besuche?\. Stand: .*, bestätigt von \d Zeugen/);
    assert.match(said, /Ihr Gerät sieht dieses Protokoll zum ersten Mal/);
    assert.equal(requests.filter((path) => path.startsWith('/de/abrufe/')).join(), '/de/abrufe/beweis');
    assert.match(await page.innerText('h1'), /Guten Tag, Emma/);

    await page.locator('#neu [data-row]', { hasText: 'Kraftfahrt-Bundesamt' }).first().getByRole('link').click();
    await page.waitForURL('**/de/abrufe/*');
    assert.match(await verdict(page, 'proved'), /Geprüft: So steht es im Protokoll/);
    assert.match(await page.innerText('main'), /§ 35 Absatz 1 Nummer 22 StVG/);
    const permission = await page.getAttribute('.ec-answers a', 'href');
    const permissionPage = await (await page.request.get(`${demo.facts.portal}${permission}`)).text();
    assert.match(permissionPage, /§ 35/, permission);
    await page.getByRole('link', { name: 'English' }).click();
    assert.match(await verdict(page, 'proved'), /Checked: this is what the log says/);
    await page.getByRole('link', { name: 'Einfach erklärt' }).click();
    assert.match(await verdict(page, 'proved'), /Das stimmt/);
    assert.equal(await page.getAttribute('html', 'lang'), 'de-simple');

    const program = await page.request.get(await page.evaluate(() => performance.getEntriesByType('resource').find((one) => one.name.endsWith('.wasm')).name));
    assert.ok((await program.body()).length < 1_200_000, 'the size of the program');
    assert.deepEqual(browser.complaints, []);
  } finally {
    await browser.close();
  }
});

test('a device notices another person, asks, and forgets on demand', async () => {
  const browser = await openBrowser();
  try {
    const { page } = browser;
    await logIn(page, demo.facts, 'emma');
    await verdict(page, 'proved');
    await logInAgain(page, demo.facts, 'deniz');
    const said = await verdict(page, 'caution');
    assert.match(said, /Ist das Ihre Nummer\?.*auf \d{3} endet.*andere Person/s);
    await picture(page, 'list-other-person');
    await accessible(page, 'another person');
    await page.locator('#nummer-bestaetigen').focus();
    await page.keyboard.press('Enter');
    await verdict(page, 'proved');
    const remembered = await page.evaluate(() => Object.entries(localStorage).flat().join());
    for (const { idnr, name } of demo.facts.logins) {
      assert.ok(!remembered.includes(idnr) && !remembered.includes(name));
    }
    // The script asks for the proof from a size that it finds beside the memory. The program trusts its memory only.
    await page.evaluate(() => localStorage.setItem('einsicht-groesse', '1'));
    await page.reload();
    await verdict(page, 'proved');
    // What else there is to know is shown on demand.
    await page.locator('#urteil summary').focus();
    await page.keyboard.press('Enter');
    await page.locator('#geraet-vergessen').focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('#urteil')?.textContent.includes('zum ersten Mal'));
    assert.deepEqual(browser.complaints, []);
  } finally {
    await browser.close();
  }
});

test('a page of an entry that does not exist is no alarm', async () => {
  const browser = await openBrowser();
  try {
    const { page } = browser;
    await logIn(page, demo.facts, 'emma');
    await verdict(page, 'proved');
    const proof = page.waitForResponse('**/abrufe/beweis**');
    await page.goto(`${demo.facts.portal}/de/abrufe/999999`);
    await (await proof).finished();
    assert.match(await page.innerText('#fehler'), /Diese Seite gibt es nicht/);
    assert.equal(await page.$('#urteil'), null);
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
    await open(page, '/de/abrufe');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Beweisdatei für ein anderes Prüfprogramm' }).click(),
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

test('what a refused and an unchecked page say is accessible', async () => {
  const browser = await openBrowser();
  try {
    const { page } = browser;
    await page.route('**/de/abrufe', async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace(/(<time [^>]*>)[^<]*/, '$101.01.2020, 00:00 Uhr');
      await route.fulfill({ response, body });
    });
    // The page to which the login redirects is not intercepted.
    await logIn(page, demo.facts, 'emma');
    await page.goto(`${demo.facts.portal}/de/abrufe`);
    assert.match(await verdict(page, 'failed'), /Gezeigt wurde „01\.01\.2020, 00:00 Uhr“\. Bewiesen ist/);
    assert.match(await page.title(), /^Achtung, stimmt nicht: Alle Abrufe/);
    assert.doesNotMatch(await page.innerText('.ec-rows'), /01\.01\.2020/);
    await picture(page, 'list-refused');
    await accessible(page, 'refused');
    await page.unrouteAll();
    await page.route('**/portal.*.wasm', (route) => route.fulfill({ status: 404, body: '' }));
    await page.reload();
    assert.match(await verdict(page, 'program-missing'), /nicht angekommen/);
    await picture(page, 'list-without-program');
    await accessible(page, 'without the program');
  } finally {
    await browser.close();
  }
});

test('the portal works without JavaScript', async () => {
  const browser = await openBrowser({ javaScriptEnabled: false });
  try {
    const { page } = browser;
    await logIn(page, demo.facts, 'deniz');
    await page.click('.ec-nav >> text=Alle Abrufe');
    assert.match(await page.innerText('.ec-rows'), /beim Kraftfahrt-Bundesamt/);
    const said = await verdict(page, 'server');
    assert.match(said, /noch nicht geprüft.*Geprüft hat nur unser Server.*Das sind alle: /s);
    assert.match(await page.getAttribute('#urteil', 'class'), /kern-alert--warning/);
    await page.fill('#q', 'gibt es nicht');
    await page.click('#auswahl button');
    await page.waitForURL('**q=gibt+es+nicht**');
    assert.match(await page.innerText('#anzahl'), /Kein Abruf passt zu Ihrer Suche/);
    await picture(page, 'no-javascript');
    // The files have what the search has found: nothing.
    for (const link of await page.$$eval('#mitnehmen a', (links) => links.map((one) => one.getAttribute('href')))) {
      const file = await page.request.get(`${demo.facts.portal}${link}`);
      assert.equal(file.status(), 200, link);
      assert.match(file.headers()['content-disposition'], /^attachment; filename="[a-z.]+"$/, link);
      if (link.includes('.json')) assert.equal((await file.json()).matching, 0);
    }
    await open(page, '/de/abrufe');
    await page.locator('.ec-rows a').first().click();
    await page.click('text=Das verstehe ich nicht');
    assert.match(await page.inputValue('#brief'), /Guten Tag,\n\nam .* wurden Daten über mich abgerufen/);
    const letter = await page.getAttribute('a[href*="brief.pdf"]', 'href');
    assert.match((await (await page.request.get(`${demo.facts.portal}${letter}`)).body()).subarray(0, 8).toString(), /^%PDF-1\.7/);
    assert.match(await page.getAttribute('#mail', 'href'), /^mailto:klaerungsstelle@\w+\.example\?subject=/);
    await page.click('#abmelden');
    await page.waitForLoadState();
    await open(page, '/de/abrufe');
    assert.equal(await page.$('.ec-rows'), null, 'logged out');
    assert.match(await page.getAttribute('main a', 'href'), /anmelden\?weiter=%2Fabrufe$/);
  } finally {
    await browser.close();
  }
});

test('a citizen sees only their own entries, and public pages are accessible', async () => {
  const browser = await openBrowser();
  try {
    const { page } = browser;
    await logIn(page, demo.facts, 'janusz');
    await open(page, '/de/abrufe');
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
