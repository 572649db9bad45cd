
// The portal's own script, in one file with the functions that load the program (`build.rs` of the server joins them).
// It loads the program, and says on the page when the program is missing, stops or does not finish. A page without a
// verdict of the program is never green: the server's own verdict is yellow, and the words below are red.
const PROGRAM = '/assets/portal.wasm';
const PROGRAM_DIGEST = '{{PROGRAM_DIGEST}}';
const WAIT_MS = 25000;

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
};

function make(name, attributes, ...content) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content);
  return element;
}

// Says that nothing is checked, whatever the page says.
function refuse(reason) {
  const lang = location.pathname.startsWith('/en') ? 'en' : 'de';
  const words = WORDS[lang];
  const verdict = make('div', { id: 'urteil', class: 'kern-alert kern-alert--danger', role: 'alert', 'data-verdict': `program-${reason}` },
    make('div', { class: 'kern-alert__header' },
      make('span', { class: 'kern-icon kern-icon--danger', 'aria-hidden': 'true' }),
      make('span', { class: 'kern-title' }, words.title)),
    make('div', { class: 'kern-alert__body' },
      make('p', { class: 'kern-body' }, words[reason]),
      make('p', { class: 'kern-body' }, words.what),
      make('p', { class: 'kern-body ec-act' }, make('a', { class: 'kern-link', href: `/${lang}/selbst-pruefen` }, words.link))));
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

function provePage() {
  const waiting = setTimeout(() => refuse('late'), WAIT_MS);
  const fail = (reason) => {
    clearTimeout(waiting);
    refuse(reason);
  };
  load(async () => {
    await prove_page();
    clearTimeout(waiting);
  }, fail);
}

// A public page says beside its island what is missing; nothing else on it depends on the program.
function buildIslands(islands) {
  const words = WORDS[location.pathname.startsWith('/en') ? 'en' : 'de'];
  load(build_islands, (reason) => {
    for (const island of islands) island.replaceChildren(make('p', { class: 'kern-body', role: 'alert' }, words[reason]));
  });
}

// Warns a minute before the session ends, and leaves the page at its end, because it shows personal data.
function watchSession() {
  const { seconds, over } = document.getElementById('sitzung').dataset;
  setTimeout(() => {
    const [notice, warning] = document.getElementById('sitzung').children;
    notice.hidden = true;
    warning.hidden = false;
  }, Math.max(0, seconds - 60) * 1000);
  setTimeout(() => location.assign(over), seconds * 1000);
}

if (document.getElementById('sitzung')) watchSession();
// Pages that have nothing to prove have no verdict, and need no program.
if (/^\/(de|en)\/zugriffe(\/\d+)?$/.test(location.pathname)) provePage();
const islands = document.querySelectorAll('[data-island]');
if (islands.length) buildIslands(islands);
