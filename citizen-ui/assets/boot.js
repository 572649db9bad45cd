
// The portal's own script, in one file with the functions that load the program (`build.rs` of the server joins them).
// It loads the program, and says on the page when the program is missing, stops or does not finish. A page without a
// verdict of the program is never green: the server's own verdict is yellow, and the words below are red.
const PROGRAM = '{{PROGRAM_PATH}}';
const PROGRAM_DIGEST = '{{PROGRAM_DIGEST}}';
const WAIT_MS = 25000;
const PROOF_WAIT_MS = 20000;
const language = location.pathname.split('/')[1];

const WORDS = {
  de: {
    title: 'Achtung: Ihr Browser konnte diese Seite nicht prüfen',
    alert: 'Achtung, nicht geprüft',
    missing: 'Das Prüfprogramm ist nicht angekommen, oder jemand hat es verändert.',
    stopped: 'Das Prüfprogramm ist abgebrochen.',
    late: 'Die Prüfung ist nicht fertig geworden.',
    what: 'Was hier steht, ist nicht geprüft. Laden Sie die Seite neu. Bleibt dieser Hinweis, prüfen Sie ohne uns.',
    link: 'Ohne uns prüfen: Selbst nachprüfen',
  },
  en: {
    title: 'Attention: your browser could not check this page',
    alert: 'Attention, not checked',
    missing: 'The program that checks has not arrived, or somebody has changed it.',
    stopped: 'The program that checks has stopped.',
    late: 'The check has not finished.',
    what: 'What you see here is not checked. Reload the page. If this note stays, check without us.',
    link: 'Check without us: Verify it yourself',
  },
  leicht: {
    title: 'Achtung: Ihr Computer konnte nicht prüfen',
    alert: 'Achtung, nicht geprüft',
    missing: 'Das Programm für die Prüfung ist nicht da. Oder jemand hat es geändert.',
    stopped: 'Das Programm für die Prüfung ist stehen geblieben.',
    late: 'Die Prüfung ist nicht fertig geworden.',
    what: 'Glauben Sie dieser Seite nicht. Laden Sie die Seite noch einmal.',
    link: 'Ohne uns prüfen',
  },
};

function make(name, attributes, ...content) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content);
  return element;
}

// Says that nothing is checked, whatever the page says.
function refuse(reason) {
  const words = WORDS[language] ?? WORDS.de;
  const verdict = make('div', { id: 'urteil', class: 'kern-alert kern-alert--danger', role: 'alert', 'data-verdict': `program-${reason}` },
    make('div', { class: 'kern-alert__header' },
      make('span', { class: 'kern-icon kern-icon--danger', 'aria-hidden': 'true' }),
      make('h2', { class: 'kern-title' }, words.title)),
    make('div', { class: 'kern-alert__body' },
      make('p', { class: 'kern-body' }, words[reason]),
      make('p', { class: 'kern-body' }, words.what),
      make('p', { class: 'kern-body ec-act' }, make('a', { class: 'kern-link', href: `/${language === 'en' ? 'en' : 'de'}/selbst-pruefen` }, words.link))));
  const shown = document.getElementById('urteil');
  if (shown) shown.replaceWith(verdict);
  else (document.getElementById('inhalt') ?? document.body).prepend(verdict);
  if (!document.title.startsWith(words.alert)) document.title = `${words.alert}: ${document.title}`;
}

// Loads the program and lets it act; `fail` says on the page what went wrong.
async function load(act, fail) {
  // A panic ends the program wherever it is, also after the page was proved.
  const stopped = (error) => { if (error instanceof WebAssembly.RuntimeError) fail('stopped'); };
  addEventListener('error', (event) => stopped(event.error));
  addEventListener('unhandledrejection', (event) => stopped(event.reason));
  try {
    const program = await fetch(PROGRAM, { integrity: PROGRAM_DIGEST });
    if (!program.ok) throw new Error(`${program.status}`);
    await __wbg_init({ module_or_path: program });
  } catch {
    return fail('missing');
  }
  try {
    await act();
  } catch {
    fail('stopped');
  }
}

// Asks for the proof while the program is on its way, from the size of the log that the program has remembered. The
// program asks itself if it remembers another size.
function askForProof() {
  let size = 0;
  try {
    size = Number(localStorage.getItem('einsicht-groesse'));
  } catch { /* a browser that stores nothing */ }
  return fetch(`/${language}/abrufe/beweis?ab=${size}`, { signal: AbortSignal.timeout(PROOF_WAIT_MS) }).catch(() => undefined);
}

function provePage() {
  const proof = askForProof();
  const waiting = setTimeout(() => refuse('late'), WAIT_MS);
  const fail = (reason) => {
    clearTimeout(waiting);
    refuse(reason);
  };
  load(async () => {
    await prove_page(proof);
    clearTimeout(waiting);
  }, fail);
}

// A public page says beside its island what is missing; nothing else on it depends on the program.
function buildIslands(islands) {
  const words = WORDS[language] ?? WORDS.de;
  load(build_islands, (reason) => {
    for (const island of islands) island.replaceChildren(make('p', { class: 'kern-body', role: 'alert' }, words[reason]));
  });
}

// Warns a minute before the session ends, and leaves the page at its end, because it shows personal data. The server is
// asked before both, since another tab can have prolonged or ended the session.
// The program builds the page again, so the box is looked up each time.
const sessionBox = () => document.getElementById('sitzung');
let sessionTimers = [];

const leave = () => location.replace(sessionBox().dataset.over);

function warnOfEnd(warn) {
  const [notice, warning] = sessionBox().children;
  notice.hidden = warn;
  warning.hidden = !warn;
}

/** Asks the server (GET) or prolongs the session (POST). Returns the seconds that are left. */
async function askSession(method) {
  const answer = await fetch(`/${language}/sitzung`, { method }).catch(() => undefined);
  if (answer?.status === 401) return leave();
  if (!answer?.ok) return undefined;
  const { seconds, idleEnd, end, text } = await answer.json();
  Object.assign(sessionBox().dataset, { seconds, idleEnd, end });
  sessionBox().children[0].firstChild.data = `${text} `;
  warnOfEnd(seconds <= 60);
  watchSession(seconds);
  return seconds;
}

function watchSession(seconds) {
  sessionTimers.forEach(clearTimeout);
  const warn = async () => { if (!(await askSession('GET') > 60)) warnOfEnd(true); };
  const end = async () => { if (!(await askSession('GET') > 0)) leave(); };
  sessionTimers = [setTimeout(end, seconds * 1000)];
  if (seconds > 60) sessionTimers.push(setTimeout(warn, (seconds - 60) * 1000));
}

if (sessionBox()) {
  watchSession(sessionBox().dataset.seconds);
  document.addEventListener('click', (event) => {
    if (!event.target.closest?.('#sitzung a')) return;
    event.preventDefault();
    askSession('POST');
  });
  // Another tab can have ended the session, and the back button can show a page from before.
  document.addEventListener('visibilitychange', () => { if (!document.hidden) askSession('GET'); });
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
}
// Pages that have nothing to prove have no verdict, and need no program.
if (/^\/(de|en|leicht)\/(uebersicht|besuche|abrufe(\/\d+(\/(pruefung|fragen))?)?)$/.test(location.pathname)) provePage();
const islands = document.querySelectorAll('[data-island]');
if (islands.length) buildIslands(islands);
