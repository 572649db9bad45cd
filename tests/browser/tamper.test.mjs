// The tamper matrix: what a server that lies, or a proxy before it, can change between the portal and the browser, on each
// kind of page. Whatever is changed, the verdict on the page must not be green, and it must say what is wrong.
//
// The portal, the log and the witnesses are real. The browser's requests are intercepted and their answers changed, with
// one exception: what is added after the proof is added on the page. At the end a table shows what each page said.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { evidenceRequest, logIn, logInAgain, openBrowser, startDemonstration } from './demonstration.mjs';
import { trapping } from './wasm.mjs';

const ROWS_PER_PAGE = 25;
const MAX_AGE_MS = 120_000;
const QUESTION = evidenceRequest();
const EMPTY_PROGRAM = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const GREEN = '<div class="kern-alert kern-alert--success" role="status"><span class="kern-title">31 Abrufe – und keiner fehlt</span>'
  + '<p>Das hat Ihr Browser um 14:03 Uhr selbst geprüft.</p></div>';

let demo;
let emma;
let deniz;
let pages;
let old;
let loggedIn = 0;
const table = [];

/** Makes exchanges about Emma, as the authority's own service would. */
async function exchange(count) {
  for (let number = 0; number < count; number += 1) {
    const body = JSON.stringify({ ...QUESTION, request_reference: `TAMPER-${number}` });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${demo.facts.connectors.rheinfurt}/evidence`, { method: 'POST', body, headers });
    const awaiting = await answer.json();
    assert.equal(answer.status, 202, JSON.stringify(awaiting));
    const decision = JSON.stringify({ login: QUESTION.login, decision: 'accept' });
    const url = `${demo.facts.connectors.rheinfurt}/evidence/${awaiting.exchange}/decision`;
    const decided = await fetch(url, { method: 'POST', body: decision, headers });
    assert.equal(decided.status, 200, await decided.text());
  }
}

const proofPath = '/de/abrufe/beweis';
const isPage = (url) => /^\/de\/(uebersicht|besuche|abrufe(\/\d+(\/(pruefung|fragen))?)?)$/.test(url.pathname);
const isProof = (url) => url.pathname === proofPath;
const isProgram = (url) => /^\/assets\/portal\.\w+\.wasm$/.test(url.pathname);
const isScript = (url) => /^\/assets\/portal\.\w+\.js$/.test(url.pathname);

/** The answer to a request of a person who is logged in, outside of any page. */
async function fetched(person, path) {
  const answer = await person.context.request.get(`${demo.facts.portal}${path}`);
  assert.equal(answer.status(), 200, path);
  return answer.body();
}

const verdictOf = (page) => page.$eval('#urteil', (element) => ({
  code: element.dataset.verdict,
  green: element.className.includes('success') || [...document.querySelectorAll('.kern-alert--success')].length > 0,
  role: element.getAttribute('role'),
  text: element.innerText.replace(/\s+/g, ' ').trim(),
  title: document.title,
}));

/** Waits until the page has a verdict of the program or of its script. A server can write any code, but not without its words. */
const decided = (page) => page.waitForFunction(() => {
  const verdict = document.querySelector('#urteil');
  const code = verdict?.dataset.verdict;
  return code && !['server', 'pending'].includes(code) && !verdict.textContent.includes('noch nicht geprüftGeprüft hat nur unser Server');
}, undefined, { timeout: 40_000 });

/** Opens a page of Emma with changed answers. Returns the verdict. */
async function visit(path, kind) {
  const { page } = emma;
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  const change = (matches, act) => act && page.route(matches, async (route) => {
    if (act === 'never') return undefined;
    if (act === 500) return route.fulfill({ status: 500, body: '' });
    if (act === 404) return route.fulfill({ status: 404, body: '' });
    const response = await route.fetch();
    const body = await act(await response.body(), new URL(route.request().url()));
    const headers = { ...response.headers() };
    delete headers['content-length'];
    delete headers['content-encoding'];
    // The portal's files are kept for a year, and a browser would keep a changed one for the kinds that follow.
    headers['cache-control'] = 'no-store';
    return route.fulfill({ status: response.status(), headers, body });
  });
  const inText = (act) => act && ((body, url) => act(body.toString('utf8'), url));
  await change(isPage, inText(kind.html));
  await change(isProof, kind.proof);
  await change(isProgram, kind.program);
  await change(isScript, typeof kind.script === 'function' ? inText(kind.script) : kind.script);
  await page.goto(`${demo.facts.portal}${path}`);
  if (kind.silent) {
    await page.waitForLoadState('networkidle');
  } else {
    await decided(page);
  }
  if (kind.afterwards) {
    assert.equal((await verdictOf(page)).code, 'proved', `${kind.name} on ${path}: before the change`);
    await page.evaluate(kind.afterwards);
    await page.waitForFunction(() => document.querySelector('#urteil')?.dataset.verdict !== 'proved');
  }
  return verdictOf(page);
}

/** Logs in again before the list is old, however slow the machine is: an old list is not green, which is another case. */
async function stayFresh() {
  if (Date.now() - loggedIn < MAX_AGE_MS) return;
  await emma.page.unrouteAll({ behavior: 'ignoreErrors' });
  await logInAgain(emma.page, demo.facts, 'emma');
  await decided(emma.page);
  loggedIn = Date.now();
}

/** Replaces, and fails if there is nothing to replace. */
function replaced(text, from, to) {
  const changed = text.replace(from, to);
  assert.notEqual(changed, text, `nothing to change: ${from}`);
  return changed;
}

const ROW = /<li data-row=.*?<\/li>/s;
const of = (...kinds) => (kind) => kinds.includes(kind);
const isList = of('list', 'filtered', 'second', 'overview', 'visits');
const hasExchanges = of('list', 'filtered', 'second', 'overview', 'detail');
const ofNoEntry = of('list', 'filtered', 'second', 'overview', 'visits');
/** The first row, or else the heading. */
const rowOrHeading = (html) => (/<li data-row="\d+"/.test(html) ? /<li data-row="\d+"/ : /<h1/);
const saidOrHeading = (html) => (/<p id="satz-\d+"[^>]*>/.test(html) ? /<p id="satz-\d+"[^>]*>/ : /<h1[^>]*>/);
const hash = (content) => `sha256-${createHash('sha256').update(content).digest('base64')}`;
const sameLength = (bytes, from, to) => {
  const at = bytes.indexOf(from);
  assert.ok(at >= 0 && from.length === to.length, `${from} is not in the proof`);
  const changed = Buffer.from(bytes);
  changed.write(to, at);
  return changed;
};

/** The program with a trap at its entry, a script with its digest, and a page with the script's: a consistent set. */
const panicking = () => {
  let program;
  let script;
  return {
    program: () => program,
    script: () => script,
    html: async (html) => {
      const [path] = html.match(/\/assets\/portal\.\w+\.js/);
      const served = (await fetched(emma, path)).toString('utf8');
      program = trapping(await fetched(emma, served.match(/PROGRAM = '([^']*)'/)[1]), 'prove_page');
      script = replaced(served, /(PROGRAM_DIGEST = ')[^']*/, `$1${hash(program)}`);
      return replaced(html, /(portal\.\w+\.js" integrity=")[^"]*/, `$1${hash(script)}`);
    },
  };
};

// Each kind: what it changes (html, proof, program, script, afterwards), the pages on which there is such a thing, and what
// the verdict must say.
const KINDS = [
  { name: 'another person’s whole list and proof', says: /Nummer.*andere Person/, pages: ofNoEntry,
    html: async (_, url) => {
      const name = (html) => html.match(/id="angemeldet">.*?<bdi>(.*?)<\/bdi>/s)[1];
      const other = (await fetched(deniz, url.pathname + url.search)).toString('utf8');
      return other.replaceAll(name(other), name((await fetched(emma, '/de/abrufe')).toString('utf8')));
    },
    proof: (_, url) => fetched(deniz, proofPath + url.search) },
  { name: 'another person’s proof alone', says: /Im Protokoll|etwas anderes|stimmt nicht/, proof: (_, url) => fetched(deniz, proofPath + url.search) },
  { name: 'row dropped', says: /Eintrag \d+ vom .*Es fehlte/, pages: isList, html: (html) => replaced(html, ROW, '') },
  { name: 'row added', says: /Eintrag 999999: Gehört nicht hierher/, pages: isList,
    html: (html) => replaced(html, ROW, (row) => row + row.replace(/data-row="\d+"/, 'data-row="999999"')) },
  { name: 'rows swapped', says: /Eintrag \d+ vom .*Reihenfolge/, pages: of('list', 'filtered', 'second', 'overview'),
    html: (html) => replaced(html, /(<li data-row=.*?<\/li>)(<li data-row=.*?<\/li>)/s, '$2$1') },
  { name: 'row doubled', says: /Eintrag \d+ vom .*Gehört nicht hierher/, pages: isList, html: (html) => replaced(html, ROW, '$&$&') },
  { name: 'time changed', says: /01\.01\.2020/, pages: (kind) => isList(kind) || kind === 'detail',
    html: (html) => replaced(html, /(<time [^>]*>)[^<]*/, '$101.01.2020') },
  { name: 'time changed in the attribute alone', says: /Eintrag \d+ vom .*2020-01-01/, pages: isList,
    html: (html) => replaced(html, /datetime="[^"]*"/, 'datetime="2020-01-01T00:00:00Z"') },
  { name: 'time of a step changed', says: /00:00:00/, pages: of('detail'),
    html: (html) => replaced(html, /(<ol class="ec-steps">.*?<time [^>]*>)[^<]*/s, '$100:00:00 Uhr') },
  { name: 'heading changed', says: /Alles in Ordnung/, html: (html) => replaced(html, /(<h1[^>]*>)[^<]*/, '$1Alles in Ordnung') },
  { name: 'month changed', says: /Januar 2020/, pages: of('list', 'filtered', 'second'), html: (html) => replaced(html, /(ec-month"><bdi>)[^<]*/, '$1Januar 2020') },
  { name: 'label changed', says: /Anderes/,
    html: (html) => replaced(html, /(<dt>|<label [^>]*>|<h2 class="kern-heading[^>]*>)[^<]*/, '$1Anderes') },
  { name: 'reason changed', says: /Urlaub/, pages: of('list', 'filtered', 'second', 'overview'), html: (html) => replaced(html, /(Weil: <\/span><bdi>)[^<]*/, '$1Urlaub') },
  { name: 'answer changed', says: /Angabe „Warum\?“.*Werbung/, pages: of('detail'),
    html: (html) => replaced(html, /(<dt>Warum\?<\/dt><dd><b><bdi>)[^<]*/, '$1Werbung') },
  { name: 'permission changed', says: /Angabe „War das erlaubt\?“.*Nein/, pages: of('detail'),
    html: (html) => replaced(html, /(<dt>War das erlaubt\?<\/dt><dd><b><span>)[^<]*/, '$1Nein.') },
  { name: 'fact changed', says: /Angabe „Zweck“.*Werbung/, pages: of('detail'),
    html: (html) => replaced(html, /(<span>Zweck<\/span><\/dt><dd[^>]*><bdi>)[^<]*/, '$1Werbung') },
  { name: 'authority changed', says: /Finanzamt Rheinfurt/, pages: hasExchanges, html: (html) => replaced(html, /<bdi>beim Kraftfahrt-Bundesamt/, '<bdi>beim Finanzamt Rheinfurt') },
  { name: 'law changed', says: /§ 1 BGB/, pages: of('detail'),
    html: (html) => replaced(html, /(<dt>Nach welchem Gesetz\?<\/dt><dd><b><bdi>)[^<]*/, '$1§ 1 BGB') },
  { name: 'count changed', says: /3 von 3 Abrufen/, pages: of('list', 'filtered', 'second', 'visits'), html: (html) => replaced(html, /(id="anzahl">)[^<]*/, '$13 von 3 Abrufen') },
  { name: 'link to a page left out', says: /Es fehlte|Gehört nicht hierher|Gezeigt wurde/, pages: of('list', 'filtered', 'second'),
    html: (html) => replaced(html, /<li><a [^>]*rel="(next|prev)"[^>]*>[^<]*<\/a><\/li>/, '') },
  { name: 'end of the list changed', says: /Es geht noch weiter/, pages: of('second'), html: (html) => replaced(html, /(<p class="ec-gone">)[^<]*/, '$1Es geht noch weiter') },
  { name: 'visits concealed', says: /0 Besuche/, pages: of('list', 'filtered', 'second'), html: (html) => replaced(html, /(id="besuche">)[^<]*/, '$10 Besuche ') },
  { name: 'delivered → refused', says: /Das wurde abgelehnt/, pages: hasExchanges, html: (html) => replaced(html, /“ abgerufen\./, '“ abrufen. Das wurde abgelehnt.') },
  { name: 'result changed', says: /Nichts gefunden/, pages: hasExchanges, html: (html) => replaced(html, /(kern-label--small">)Daten übermittelt/, '$1Nichts gefunden') },
  { name: 'link leads elsewhere', says: /Es führte zu/, html: (html) => replaced(html, /(href="\/de\/abrufe\/)\d+/, '$11') },
  { name: 'mark in the picture moved', says: /sah anders aus/, pages: of('overview'), html: (html) => replaced(html, /(<rect class="ec-mark-d" x=")\d+/, '$11') },
  { name: 'picture in words changed', says: /1 Abruf\./, pages: of('overview'), html: (html) => replaced(html, /(<desc [^>]*>)[^<]*/, '$1Stadt Rheinfurt: 1 Abruf.') },
  { name: 'bar of proved time made solid', says: /sah anders aus/, pages: of('overview'), html: (html) => replaced(html, '"ec-gapless-open"', '"ec-gapless"') },
  { name: 'table behind the picture changed', says: /1 Abruf/, pages: of('overview'), html: (html) => replaced(html, /(bis=[\d-]+">)\d+ Abrufe/, '$11 Abruf') },
  { name: 'digits in the picture of the proof changed', says: /ffffff/, pages: of('proof'), html: (html) => replaced(html, /(ec-digits"[^>]*>)[0-9a-f]{6}/, '$1ffffff') },
  { name: 'number of the person changed', says: /00 000 000 000/, pages: of('proof'), html: (html) => replaced(html, /\d\d \d{3} \d{3} \d{3}/, '00 000 000 000') },
  { name: 'recipient of the letter changed', says: /dieb@betrug\.example/, pages: of('ask'), html: (html) => replaced(html, /(id="empfaenger">.*?<\/bdi><span>, <\/span><bdi>)[^<]*/s, '$1dieb@betrug.example') },
  { name: 'address of the mail changed', says: /mailto:dieb@betrug\.example/, pages: of('ask'), html: (html) => replaced(html, /(href="mailto:)[^?]*/, '$1dieb@betrug.example') },
  { name: 'letter changed', says: /Ich verzichte/, pages: of('ask'), html: (html) => replaced(html, /(<textarea [^>]*>)/, '$1Ich verzichte. ') },
  { name: 'row hidden by an attribute', says: /verdeckt/, html: (html) => replaced(html, rowOrHeading(html), '$& hidden') },
  { name: 'row hidden by a style', says: /verdeckt/, html: (html) => replaced(html, rowOrHeading(html), '$& style="display:none"') },
  { name: 'row hidden from screen readers', says: /verdeckt/, html: (html) => replaced(html, rowOrHeading(html), '$& aria-hidden="true"') },
  { name: 'style sheet added', says: /eingefügt, das keinen Text hat/, html: (html) => replaced(html, '</head>', '<link rel="stylesheet" href="/assets/portal.css?2"></head>') },
  { name: 'other content by a shadow root', says: /eingefügt, das keinen Text hat/,
    html: (html) => replaced(html, saidOrHeading(html), '$&<template shadowrootmode="open">Nichts geschehen</template>') },
  { name: 'page of another address', says: /etwas anderes/, html: (_, url) => fetched(emma, elsewhere(url)) },
  { name: 'empty list with a valid proof', says: /Es fehlte/, pages: of('list', 'filtered', 'second'),
    html: (html) => replaced(html, /<section class="ec-group">.*?<\/section>/gs, '') },
  { name: 'verdict of the server made green', says: /Eintrag|Auf der Seite/, html: (html) => replaced(html, 'kern-alert--warning" role="status" data-verdict="server"', 'kern-alert--success" role="status" data-verdict="proved"') },
  { name: 'second verdict in the content', says: /Gehört nicht hierher: „31 Abrufe/, html: (html) => replaced(html, '</main>', `${GREEN}</main>`) },
  { name: 'second verdict in the header', says: /Gehört nicht hierher: „31 Abrufe/, html: (html) => replaced(html, '</header>', `${GREEN}</header>`) },
  { name: 'verdict left out', says: /Es fehlte/, html: (html) => replaced(html, /<div id="urteil".*?<\/div><\/div>/s, '') },
  { name: 'old list with its old proof', says: /alten Stand.*neueren/, html: (_, url) => old.html[url.pathname + url.search], proof: () => old.proof },
  { name: 'old proof, new list', says: /alten Stand.*neueren/, proof: () => old.proof },
  { name: 'byte of the proof flipped', says: /beschädigt|passt nicht/, proof: (body) => { const changed = Buffer.from(body); changed[changed.length >> 1] ^= 1; return changed; } },
  { name: 'proof cut off', says: /beschädigt/, proof: (body) => body.subarray(0, body.length >> 1) },
  { name: 'proof answers 500', says: /Beweis ist nicht angekommen/, proof: 500 },
  { name: 'proof never answers', says: /Beweis ist nicht angekommen/, proof: 'never', pages: of('list', 'detail') },
  { name: 'quorum lowered', says: /andere[nr]* Regeln.*weniger Zeugen/, proof: (body) => sameLength(body, 'group witnesses 2', 'group witnesses 1') },
  { name: 'other genesis', says: /anderes Protokoll/, proof: (body) => sameLength(body, demo.facts.genesis, `${'0'.repeat(8)}${demo.facts.genesis.slice(8)}`) },
  { name: 'program missing', says: /Prüfprogramm ist nicht angekommen/, program: 404 },
  { name: 'program never arrives', says: /Prüfung ist nicht fertig geworden/, program: 'never', pages: (kind) => kind === 'list' },
  { name: 'program empty', says: /Prüfprogramm ist nicht angekommen.*verändert/, program: () => EMPTY_PROGRAM },
  { name: 'program cut off', says: /Prüfprogramm ist nicht angekommen.*verändert/, program: (body) => body.subarray(0, body.length >> 1) },
  { name: 'program stops', says: /Prüfprogramm ist abgebrochen/, ...panicking() },
  { name: 'script missing', says: /noch nicht geprüft/, silent: true, script: 404 },
  { name: 'script replaced', says: /noch nicht geprüft/, silent: true, script: (script) => script.replaceAll('refuse', 'accept') },
  { name: 'added after the proof', says: /verändert, nachdem.*Gehört nicht hierher/, afterwards: () => {
    const added = document.createElement('p');
    added.textContent = 'Alles in Ordnung';
    document.querySelector('main').append(added);
  } },
  { name: 'text changed after the proof', says: /verändert, nachdem.*01\.01\.2020/, afterwards: () => {
    document.querySelector('time, textarea, .ec-checks li, #neu p').textContent = '01.01.2020';
  } },
  { name: 'row removed after the proof', says: /verändert, nachdem.*Es fehlte/, pages: of('list', 'filtered', 'second', 'visits'), afterwards: () => document.querySelector('[data-row]').remove() },
  { name: 'row hidden after the proof', says: /verändert, nachdem.*verdeckt/, afterwards: () => { document.querySelector('[data-row], h1').hidden = true; } },
  { name: 'verdict changed after the proof', says: /verändert, nachdem/, afterwards: () => { document.querySelector('#urteil .kern-title').textContent = '0 Abrufe'; } },
];

/** The address of another page of the same kind, or of another kind. */
function elsewhere(url) {
  const path = url.pathname.replace('/de', '');
  if (path === '/abrufe') return url.search === '?seite=2' ? '/de/abrufe' : '/de/abrufe?seite=2';
  if (path === '/uebersicht') return '/de/besuche';
  if (path === '/besuche') return '/de/uebersicht';
  return `/de${path.replace(/\d+/, emma.second)}${url.search}`;
}

before(async () => {
  demo = await startDemonstration();
  emma = await openBrowser();
  deniz = await openBrowser();
  await exchange(ROWS_PER_PAGE);
  await logIn(emma.page, demo.facts, 'emma');
  await decided(emma.page);
  const numbers = (page) => page.$$eval('main [data-row]', (rows) => rows.map((row) => row.dataset.row));
  await emma.page.goto(`${demo.facts.portal}/de/abrufe`);
  await decided(emma.page);
  [emma.first, emma.second] = await numbers(emma.page);
  pages = {
    list: '/de/abrufe',
    filtered: '/de/abrufe?bei=Kraftfahrt-Bundesamt&sort=aelteste',
    second: '/de/abrufe?seite=2',
    detail: `/de/abrufe/${emma.first}`,
    overview: '/de/uebersicht',
    visits: '/de/besuche',
    proof: `/de/abrufe/${emma.first}/pruefung`,
    ask: `/de/abrufe/${emma.first}/fragen?was=verstehen`,
  };
  old = { html: {}, proof: await fetched(emma, proofPath) };
  for (const path of Object.values(pages)) old.html[path] = await fetched(emma, path);
  await logIn(deniz.page, demo.facts, 'deniz');
  await decided(deniz.page);
  // Another exchange, after which the first login's list is old.
  await exchange(1);
  await stayFresh();
});

after(async () => {
  await emma?.close();
  await deniz?.close();
  await demo?.stop();
  console.log('\n| Changed | Page | Verdict | What it says |\n| --- | --- | --- | --- |');
  for (const row of table) console.log(`| ${row.join(' | ')} |`);
});

test('pages as the portal sends them are proved', async () => {
  for (const path of Object.values(pages)) {
    const { code, text } = await visit(path, {});
    assert.equal(code, 'proved', `${path}: ${text}`);
    assert.match(text, /selbst geprüft, für die ID-Nummer mit dem Ende 384/);
  }
});

for (const kind of KINDS) {
  test(`not green: ${kind.name}`, async () => {
    if (kind.name === 'another person’s whole list and proof') await logInAgain(deniz.page, demo.facts, 'deniz');
    await stayFresh();
    for (const [name, path] of Object.entries(pages)) {
      if (kind.pages && !kind.pages(name)) continue;
      const { code, green, role, text, title } = await visit(path, kind);
      table.push([kind.name, name, code, text.slice(0, 180)]);
      const what = `${name}: ${code}: ${text}`;
      assert.ok(!green && code !== 'proved', what);
      assert.match(text, kind.says, what);
      if (code === 'failed' || code.startsWith('program-')) {
        assert.equal(role, 'alert', what);
        assert.match(title, /^Achtung/, what);
      }
    }
  });
}

test('what a closed shadow root shows instead of a sentence is gone when the page is proved', async () => {
  const lie = '<template shadowrootmode="closed">Nichts geschehen</template>';
  const html = (text) => replaced(text, saidOrHeading(text), `$&${lie}`);
  for (const [kind, path] of Object.entries(pages)) {
    await stayFresh();
    assert.equal((await visit(path, { html })).code, 'proved');
    if (hasExchanges(kind) && kind !== 'overview') assert.match(await emma.page.innerText('[id^="satz-"]'), /abgerufen/);
  }
});

test('a green box that a server sends is not seen before the program has decided', async () => {
  const { page } = emma;
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await page.route(isProgram, () => undefined);
  await page.route(isPage, async (route) => {
    const response = await route.fetch();
    const body = replaced(await response.text(), 'kern-alert--warning" role="status" data-verdict="server"', 'kern-alert--success" role="status" data-verdict="proved"');
    await route.fulfill({ response, body });
  });
  for (const path of Object.values(pages)) {
    await page.goto(`${demo.facts.portal}${path}`, { waitUntil: 'domcontentloaded' });
    assert.equal(await page.isVisible('#urteil'), false, path);
  }
});

test('the page is proved again afterwards, and a session of the same person stays green', async () => {
  await emma.page.unrouteAll({ behavior: 'ignoreErrors' });
  await logInAgain(emma.page, demo.facts, 'emma');
  await decided(emma.page);
  const { code, text } = await verdictOf(emma.page);
  assert.equal(code, 'proved', text);
  assert.match(await emma.page.textContent('#urteil'), /Seitdem ist es nur gewachsen/);
});
