// A register that answers later, in a real browser: the page waits, can be left and come back to, and ends with the answer or a withdrawal.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, startDemonstration } from './demonstration.mjs';
import { accessible, fits, picture } from './look.mjs';

let demo;

// The authority of this service takes part in the demonstration's past only.
before(async () => { demo = await startDemonstration({ past: true }); });
after(async () => { await demo?.stop(); });

async function look(page, name) {
  await picture(page, `warten-${name}`);
  await fits(page, name);
  await accessible(page, name);
}

async function begin(page, user) {
  await page.goto(`${demo.facts.antrag}/kindergeld`);
  await page.click('#anmelden');
  await page.click(`[data-user="${user}"]`);
  await page.waitForURL('**/kindergeld');
}

const reach = (page, need, stage, timeout = 30_000) =>
  page.waitForSelector(`#unterlage-${need}[data-stage="${stage}"]`, { timeout });

/** Presses a button with the keyboard alone, as the browser's focus reaches it. */
async function pressWithKeyboard(page, id) {
  for (let tabs = 0; tabs < 60; tabs++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement?.id === wanted, id)) {
      await page.keyboard.press('Enter');
      return;
    }
  }
  assert.fail(`the keyboard does not reach ${id}`);
}

const CASES = [
  { javaScriptEnabled: true, user: 'emma', viewport: { width: 1280, height: 900 }, name: 'desktop' },
  { javaScriptEnabled: false, user: 'deniz', viewport: { width: 390, height: 844 }, name: 'phone' },
];

for (const { user, name, ...options } of CASES) {
  test(`a person waits for a register ${options.javaScriptEnabled ? 'with' : 'without'} scripts, comes back, and withdraws`, async () => {
    const browser = await openBrowser(options);
    try {
      const { page } = browser;
      const seen = async (what) => {
        await picture(page, `warten-${what}-${name}`);
        await fits(page, what);
        // axe is a script.
        if (options.javaScriptEnabled) await accessible(page, what);
      };
      await begin(page, user);
      await seen('offen');
      await page.click('#abrufen-0');
      await reach(page, 0, 'pending');
      await page.click('#abrufen-1');
      await reach(page, 1, 'pending');
      const waits = await page.innerText('#unterlage-1');
      for (const expected of [/Namen der Kinder/, /Von\s+.*Melde/, /voraussichtlich bis\s+\d+\.\d+\.\d{4}, \d+:\d\d Uhr/, /endet spätestens\s+\d+\./]) {
        assert.match(waits, expected);
      }
      await seen('ausstehend');
      await page.click('#anhalten');
      await page.waitForSelector('#neuladen');
      await page.click('#neuladen');

      // The page comes by itself to the answer of the register that needs less than a minute.
      await reach(page, 0, 'received', 150_000);
      assert.match(await page.innerText('#unterlage-0'), /Rheinfurt|Seewalde/);
      await seen('angekommen');

      await page.click('#abmelden');
      await page.waitForURL(`${demo.facts.antrag}/`);
      await begin(page, user);
      await reach(page, 1, 'pending');
      await reach(page, 0, 'received');

      await pressWithKeyboard(page, 'zurueckziehen-1');
      await reach(page, 1, 'withdrawn');
      await seen('zurueckgezogen');
      assert.equal(await page.locator('#abrufen-1').count(), 1, 'it may be fetched again');
      assert.deepEqual(browser.complaints, []);
    } finally {
      await browser.close();
    }
  });
}

for (const { name, ...options } of [
  { name: 'dark', viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
  { name: 'narrow', viewport: { width: 320, height: 640 } },
]) {
  test(`the page that waits is accessible and fits: ${name}`, async () => {
    const browser = await openBrowser(options);
    try {
      const { page } = browser;
      await begin(page, 'janusz');
      if (await page.locator('#abrufen-1').count()) await page.click('#abrufen-1');
      await reach(page, 1, 'pending');
      await look(page, name);
      await page.click('#anhalten');
      await page.waitForSelector('#neuladen');
      await look(page, `angehalten-${name}`);
    } finally {
      await browser.close();
    }
  });
}
