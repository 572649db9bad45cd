// The demonstration that all browser tests share. It is started once and stopped after the last test.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const PROGRAMS = process.env.EINSICHT_PROGRAMS ?? join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../target/release');
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

/** An authority's request for evidence that needs a preview. Its person has logged in just now. */
export function evidenceRequest() {
  const text = readFileSync(new URL('../tests/evidence-request.json', import.meta.url), 'utf8');
  return JSON.parse(text.replace('NOW', new Date().toISOString()));
}

/** One of the released programs. */
export const program = (name) => join(PROGRAMS, name);

/** How long the demonstration may take to start: without its past, and with it. */
const PATIENCE = { without: 90_000, with: 900_000 };

/**
 * Starts the demonstration in a scratch directory, with its past if `past` says so. Resolves with the content of demo.json and a function
 * that stops it.
 */
export async function startDemonstration({ past = false } = {}) {
  const scratch = mkdtempSync(join(tmpdir(), 'einsicht-browser-'));
  const data = join(scratch, 'data');
  const log = openSync(join(scratch, 'log'), 'w');
  const child = spawn(program('einsicht'), ['demo', ...(past ? [] : ['--without-past']), '--data', data], { stdio: ['ignore', log, log] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const facts = join(data, 'demo.json');
  for (let waited = 0; !existsSync(facts); waited += 100) {
    if (child.exitCode !== null || waited > (past ? PATIENCE.with : PATIENCE.without)) {
      throw new Error(`the demonstration did not start:\n${readFileSync(join(scratch, 'log'), 'utf8')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    facts: JSON.parse(readFileSync(facts, 'utf8')),
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** Opens a new browser profile. `complaints` collects console errors and warnings and uncaught exceptions of all pages. */
export async function openBrowser(options = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'einsicht-profile-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS, locale: 'de-DE', timezoneId: 'Europe/Berlin',
    viewport: { width: 1280, height: 900 }, ...options,
  });
  const complaints = [];
  context.on('page', (page) => listen(page, complaints));
  context.pages().forEach((page) => listen(page, complaints));
  return {
    context,
    complaints,
    page: context.pages()[0] ?? (await context.newPage()),
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

function listen(page, complaints) {
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`page: ${error.message}`));
}

/** Logs in a citizen of the demonstration as a person would: start page, login page, name. */
export async function logIn(page, facts, user) {
  await page.goto(`${facts.portal}/de/`);
  await page.click('#anmelden');
  await page.click(`[data-user="${user}"]`);
  await page.waitForURL('**/de/uebersicht');
  // A page that is left while it loads its program would complain.
  await page.waitForLoadState('networkidle');
}

/** Logs in, also in a browser that has a session. */
export async function logInAgain(page, facts, user) {
  await page.goto(`${facts.portal}/de/anmelden`);
  await page.click(`[data-user="${user}"]`);
  await page.waitForURL('**/de/uebersicht');
}
