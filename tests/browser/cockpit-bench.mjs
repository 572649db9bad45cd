// What the portal costs a citizen and a server: `cargo xtask bench cockpit` starts this with the released programs.
//
//   node cockpit-bench.mjs FILE [--quick]
//
// It starts the demonstration with its past, in which Emma has more than 50 exchanges, and writes flat JSON into FILE. All times are from
// a real browser and end when the verdict is green. The server, the browser and the load share one machine.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { logIn, openBrowser, startDemonstration } from './demonstration.mjs';

const [file, quick] = process.argv.slice(2);
const SIZES = quick === '--quick' ? { loads: 2, seconds: 1, logins: 5 } : { loads: 11, seconds: 10, logins: 300 };
const LIST = '/de/abrufe';
const PROOF = '/de/abrufe/beweis';
/** "Slow 4G" of Chromium's developer tools: milliseconds, and bytes a second. */
const SLOW_4G = { offline: false, latency: 562.5, downloadThroughput: 180_000, uploadThroughput: 84_375 };
const CPU_SLOWDOWN = 4;

const median = (times) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];

/** Notes in the page when its verdict turns green. It changes nothing that the page's program compares. */
function noteGreen() {
  const look = () => {
    if (globalThis.greenAt === undefined && document.querySelector('#urteil[data-verdict="proved"]')) {
      globalThis.greenAt = performance.now();
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
}

/** Loads the list. Resolves with the milliseconds until it was green: from the beginning, and from the last byte of the proof. */
async function loadList(page, portal) {
  await page.goto(`${portal}${LIST}`);
  await page.waitForFunction(() => globalThis.greenAt !== undefined, null, { timeout: 120_000 });
  return page.evaluate((path) => {
    const proof = performance.getEntriesByType('resource').find((one) => new URL(one.name).pathname === path);
    return { usable: globalThis.greenAt, verify: globalThis.greenAt - proof.responseEnd };
  }, PROOF);
}

/** The size of the program as it is sent to a browser that knows brotli. */
async function programSize(page) {
  const url = await page.evaluate(() => performance.getEntriesByType('resource').find((one) => one.name.endsWith('.wasm')).name);
  return new Promise((resolve, reject) => {
    request(url, { headers: { 'accept-encoding': 'br' } }, (answer) => {
      assert.equal(answer.headers['content-encoding'], 'br');
      let bytes = 0;
      answer.on('data', (part) => { bytes += part.length; }).on('end', () => resolve(bytes));
    }).on('error', reject).end();
  });
}

/** The browser's figures, and the cookie of its session. */
async function inBrowser(facts) {
  const browser = await openBrowser();
  try {
    const { page, context } = browser;
    await page.addInitScript(noteGreen);
    await logIn(page, facts, 'emma');
    const requests = [];
    page.on('request', (one) => requests.push(one.url()));
    await loadList(page, facts.portal);
    const figures = { list_requests: requests.length, wasm_brotli_bytes: await programSize(page) };
    figures.exchanges = Number((await page.textContent('#urteil')).match(/(\d+) Abrufe/)[1]);
    figures.list_rows = await page.locator('[data-row]').count();
    assert.ok(figures.exchanges >= 50 && figures.list_rows === 25, JSON.stringify(figures));
    const loads = [];
    for (let load = 0; load < SIZES.loads; load++) loads.push(await loadList(page, facts.portal));
    figures.page_usable_ms = median(loads.map((one) => one.usable));
    figures.verify_50_rows_ms = median(loads.map((one) => one.verify));
    const cdp = await context.newCDPSession(page);
    await cdp.send('Network.enable');
    await cdp.send('Network.emulateNetworkConditions', SLOW_4G);
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN });
    const cold = [];
    for (let load = 0; load < Math.min(SIZES.loads, 5); load++) {
      await cdp.send('Network.clearBrowserCache');
      cold.push((await loadList(page, facts.portal)).usable);
    }
    figures.slow4g_cpu4_25_rows_cold_ms = median(cold);
    // All cookies of the context: asked for an address without TLS, the tool would leave out the session's, which is for TLS or loopback.
    const ours = (await context.cookies()).filter(({ domain }) => domain === new URL(facts.portal).hostname);
    const cookies = ours.map(({ name, value }) => `${name}=${value}`).join('; ');
    return { figures, cookies };
  } finally {
    await browser.close();
  }
}

/** Pages a second under wrk with 16 connections. The page must be one; wrk itself takes a redirect for a success. */
async function pagesPerSecond(url, cookies) {
  const page = await fetch(url, { redirect: 'manual', headers: cookies ? { cookie: cookies } : {} });
  assert.equal(page.status, 200, url);
  await page.arrayBuffer();
  const header = cookies ? ['--header', `Cookie: ${cookies}`] : [];
  const { stdout, stderr, status } = spawnSync('wrk', ['-t1', '-c16', `-d${SIZES.seconds}s`, ...header, url], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.ok(!/Non-2xx|Socket errors/.test(stdout), stdout);
  return Number(stdout.match(/Requests\/sec:\s*([\d.]+)/)[1]);
}

/** Connections stay open, as a browser's do. */
const agent = new Agent({ keepAlive: true });

/** Requests an address once, without following a redirect. It costs less than `fetch`, and the load shares two cores with the servers. */
function ask(url, { body, headers, method } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method, headers: { 'accept-encoding': 'gzip', ...headers } }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part)).on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, bytes: Buffer.concat(parts) }));
    });
    // A server may close an idle connection at the moment in which it is used again.
    sent.on('error', (error) => (sent.reusedSocket ? resolve(ask(url, { body, headers, method })) : reject(error)));
    sent.end(body);
  });
}

const textOf = ({ bytes, headers }) => (headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString();

/** A person's way from "log in" to the list, without a browser: five requests, one of them to the login provider. */
async function logInAndList(portal) {
  const jar = new Map();
  const send = async (url, options = {}) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const ours = url.startsWith(portal) && cookie ? { cookie } : {};
    const answer = await ask(url, { ...options, headers: { ...ours, ...options.headers } });
    for (const set of answer.headers['set-cookie'] ?? []) {
      const [, name, value] = set.match(/^([^=]+)=([^;]*)/);
      jar.set(name, value);
    }
    return answer;
  };
  const next = (answer, from) => {
    assert.ok([302, 303].includes(answer.status), `${from}: ${answer.status}`);
    return new URL(answer.headers.location, from).href;
  };
  const begin = `${portal}/de/anmelden`;
  const authorize = next(await send(begin), begin);
  const form = textOf(await send(authorize));
  const fields = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name, value]) => [name, unescape(value)]);
  const body = new URLSearchParams([...fields, ['user', 'emma']]).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const chosen = await send(new URL('/authorize', authorize).href, { method: 'POST', body, headers });
  const callback = next(chosen, authorize);
  next(await send(callback), callback);
  const list = await send(`${portal}${LIST}`);
  assert.equal(list.status, 200);
  assert.ok(textOf(list).includes('data-row'), 'the list has rows');
}

const unescape = (text) => text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>')
  .replaceAll('&amp;', '&');

async function loginsPerSecond(portal) {
  const begin = performance.now();
  let left = SIZES.logins;
  const worker = async () => { while (left-- > 0) await logInAndList(portal); };
  await Promise.all(Array.from({ length: 4 }, worker));
  return SIZES.logins / ((performance.now() - begin) / 1000);
}

const demo = await startDemonstration({ past: true });
try {
  const { figures, cookies } = await inBrowser(demo.facts);
  figures.public_pages_per_s = await pagesPerSecond(`${demo.facts.portal}/de/registerlandkarte`);
  figures.list_pages_per_s = await pagesPerSecond(`${demo.facts.portal}${LIST}`, cookies);
  figures.login_to_list_per_s = await loginsPerSecond(demo.facts.portal);
  for (const name of Object.keys(figures)) figures[name] = Math.round(figures[name] * 100) / 100;
  writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);
} finally {
  await demo.stop();
}
