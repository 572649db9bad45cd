// How all browser tests look at a page: a picture for people, accessibility, and width.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const PICTURES = process.env.EINSICHT_PICTURES;

/** Takes a picture of the whole page, if a folder for pictures is named. */
export async function picture(page, name) {
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  // Without a style sheet of the tool, which would be a change of the page.
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true, caret: 'initial' });
}

/** Fails if axe finds anything on the page. */
export async function accessible(page, what) {
  await page.evaluate(AXE);
  const found = await page.evaluate((values) => globalThis.axe.run({ runOnly: { type: 'tag', values } }), TAGS);
  const faults = found.violations.map((fault) => `${fault.id}: ${fault.nodes.map((node) => node.html).join(' | ')}`);
  assert.deepEqual(faults, [], what);
}

/** Fails if the page is wider than its window. */
export async function fits(page, what) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(content <= window, `${what} is ${content} wide in a window of ${window}`);
}
