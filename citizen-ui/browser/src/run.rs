//! The course: read the page, ask for the proof, check, show the verdict, watch the page.

use std::cell::RefCell;

use citizen_ui::language::lang::Lang;
use citizen_ui::language::verdict::verdict_text;
use citizen_ui::markup::{Element, differences};
use citizen_ui::pages::proved::{Checked, Device, Shown, check, page};
use citizen_ui::pages::{
    CONFIRM, COPIED, COPY, ERROR, FORGET, Frame, Input, LETTER, TRIED, Target, VERDICT, WAY, verdict_box,
};
use citizen_ui::proof::device::{BUILD, Memory};
use citizen_ui::proof::statement::ProvedList;
use citizen_ui::proof::verdict::{Finding, OLD, Unable, Verdict, judge};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::JsFuture;

use crate::panic::has_panicked;
use crate::{dom, storage};

/// How long to wait for the proof, in milliseconds.
const MAX_WAIT_MS: u32 = 15_000;

/// The address of the page.
#[derive(Clone)]
struct Address {
    lang: Lang,
    /// Path and query, after the language.
    path: String,
    target: Target,
}

/// A page that is proved, and what belongs on it.
struct Watched {
    address: Address,
    frame: Frame,
    list: ProvedList,
    verdict: Verdict,
    /// What the citizen has typed to see the proof break.
    tried: Option<String>,
    /// Whether the letter has been copied.
    copied: bool,
}

thread_local! {
    static WATCHED: RefCell<Option<Watched>> = const { RefCell::new(None) };
}

/// Proves the page with the answer that the script has asked for. Does nothing on pages that have nothing to prove.
pub(crate) async fn run(answer: js_sys::Promise) {
    let Some((address, shown)) = address().zip(dom::read()) else {
        return;
    };
    if shown.by_id(VERDICT).is_some() {
        announce(&address, &shown, &Verdict::Pending);
    }
    let memory = storage::load();
    let Some(answer) = proof(answer, address.lang, memory.as_ref()).await else {
        announce(&address, &shown, &Verdict::Unable(Unable::Load));
        return;
    };
    let device = Device {
        memory: memory.as_ref(),
        pins: BUILD,
        now: now(),
        salt: salt(),
    };
    let page = Shown {
        document: &shown,
        lang: address.lang,
        path: &address.path,
        target: &address.target,
    };
    let Checked {
        verdict,
        proved,
        memory,
    } = check(&page, &answer, &device);
    if let Some(memory) = &memory {
        storage::store(memory);
    }
    match proved {
        None => announce(&address, &shown, &verdict),
        // The server says that there is no such page, and the list agrees.
        Some((list, frame)) if shown.by_id(ERROR).is_some() && !has_page(&address, &frame, &list) => {}
        Some((list, frame)) => watch(Watched {
            address,
            frame,
            list,
            verdict,
            tried: None,
            copied: false,
        }),
    }
}

fn has_page(address: &Address, frame: &Frame, list: &ProvedList) -> bool {
    page(frame, &address.target, list, &Verdict::Pending, Input::default()).is_some()
}

fn address() -> Option<Address> {
    let location = dom::window()?.location();
    let whole = location.pathname().ok()? + &location.search().ok()?;
    let segment = whole.trim_start_matches('/').split('/').next()?;
    let lang = Lang::of_segment(segment)?;
    let path = whole.get(1 + lang.code().len()..)?.to_owned();
    let target = Target::of(&path)?;
    Some(Address { lang, path, target })
}

/// The body of the answer to the one request, for which the script has asked. If the script asked from another size of
/// the log than the one that the program remembers, the program asks itself.
async fn proof(asked: js_sys::Promise, lang: Lang, memory: Option<&Memory>) -> Option<Vec<u8>> {
    let size = memory.map_or(0, |memory| memory.size);
    let path = format!("/{}/abrufe/beweis?ab={size}", lang.code());
    let answer: web_sys::Response = JsFuture::from(asked).await.ok()?.dyn_into().ok()?;
    if answer.redirected() || answer.url().ends_with(&path) {
        body(&answer).await
    } else {
        fetch(&path).await
    }
}

/// The body of an answer of the portal; `None` for a refusal and for a redirection.
pub(crate) async fn fetch(path: &str) -> Option<Vec<u8>> {
    let options = web_sys::RequestInit::new();
    options.set_signal(Some(&web_sys::AbortSignal::timeout_with_u32(MAX_WAIT_MS)));
    let request = dom::window()?.fetch_with_str_and_init(path, &options);
    let response: web_sys::Response = JsFuture::from(request).await.ok()?.dyn_into().ok()?;
    body(&response).await
}

async fn body(response: &web_sys::Response) -> Option<Vec<u8>> {
    if !response.ok() || response.redirected() {
        return None;
    }
    let body = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
    Some(js_sys::Uint8Array::new(&body).to_vec())
}

/// Shows a verdict on a page of which nothing is proved.
fn announce(address: &Address, shown: &Element, verdict: &Verdict) {
    if has_panicked() {
        return;
    }
    let frame = Frame::of_shown(shown, address.lang, address.path.clone());
    let text = verdict_text(verdict, address.target.scope(), &[], address.lang);
    let _ = dom::place(&verdict_box(&frame, verdict, &text), VERDICT);
    let title = shown.first("title").map(Element::text_content).unwrap_or_default();
    if let (Verdict::Failed(_), Some(document)) = (verdict, dom::document()) {
        let alert = address.lang.words().verdict.alert;
        document.set_title(&format!("{alert}: {title}"));
    }
    listen(None);
}

/// Builds the proved page, shows the verdict on it, and reports every later change of the page.
fn watch(watched: Watched) {
    let Watched { address, list, .. } = &watched;
    // A screen reader announces what changes inside of a region, so the page is built before the verdict is put on it.
    let Some(before) = without_verdict(&watched) else {
        let title = dom::read().unwrap_or_else(|| Element::new("html".into()));
        return announce(address, &title, &watched.verdict);
    };
    let age = now().saturating_sub(list.claim.as_of);
    let _ = dom::show(&before);
    WATCHED.set(Some(watched));
    show();
    observe();
    if age <= OLD {
        let milliseconds = (OLD + 1 - age) * 1_000;
        let again = Closure::once_into_js(grow_old);
        if let (Some(window), Ok(milliseconds)) = (dom::window(), i32::try_from(milliseconds)) {
            let again = again.unchecked_ref();
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(again, milliseconds);
        }
    }
}

/// Shows the page with its present verdict.
fn show() {
    if has_panicked() {
        return;
    }
    let person = WATCHED.with_borrow(|watched| {
        let watched = watched.as_ref()?;
        let page = expected(watched)?;
        let verdict = page.by_id(VERDICT)?;
        if matches!(watched.verdict, Verdict::Proved(_)) {
            let _ = dom::allow_green();
        }
        let _ = dom::place(verdict, VERDICT);
        if let (Some(document), Some(title)) = (dom::document(), page.first("title")) {
            document.set_title(&title.text_content());
        }
        Some(watched.list.person.clone())
    });
    listen(person);
    on_input(TRIED, try_other);
    on_click(COPY, copy);
}

/// Shows what becomes of the proof if the record said what the citizen has typed.
fn try_other(typed: String) {
    show_part(WAY, |watched| watched.tried = Some(typed));
}

/// Changes what the citizen has done, and shows one part of the page as it is then.
fn show_part(id: &str, change: impl FnOnce(&mut Watched)) {
    let part = WATCHED.with_borrow_mut(|watched| {
        let watched = watched.as_mut()?;
        change(watched);
        expected(watched)?.by_id(id).cloned()
    });
    if let Some(part) = part {
        let _ = dom::place(&part, id);
    }
}

/// Copies the letter as the citizen has changed it.
fn copy() {
    let Some((window, document)) = dom::window().zip(dom::document()) else {
        return;
    };
    let text = document.get_element_by_id(LETTER);
    let text = text.and_then(|area| area.dyn_into::<web_sys::HtmlTextAreaElement>().ok());
    let Some(text) = text.map(|area| area.value()) else {
        return;
    };
    let copied = window.navigator().clipboard().write_text(&text);
    wasm_bindgen_futures::spawn_local(async move {
        if JsFuture::from(copied).await.is_ok() {
            show_part(COPIED, |watched| watched.copied = true);
        }
    });
}

fn expected(watched: &Watched) -> Option<Element> {
    let Watched {
        address, frame, list, ..
    } = watched;
    let input = Input {
        tried: watched.tried.as_deref(),
        copied: watched.copied,
    };
    page(frame, &address.target, list, &watched.verdict, input)
}

/// The page before its verdict is shown.
fn without_verdict(watched: &Watched) -> Option<Element> {
    let mut page = expected(watched)?;
    let scope = watched.address.target.scope();
    let text = verdict_text(&Verdict::Pending, scope, &[], watched.address.lang);
    let pending = verdict_box(&watched.frame, &Verdict::Pending, &text);
    page.replace_by_id(VERDICT, &pending).then_some(page)
}

/// Makes the buttons beside the verdict work.
fn listen(person: Option<record::Idnr>) {
    on_click(FORGET, || {
        storage::forget();
        reload();
    });
    let Some(person) = person else { return };
    on_click(CONFIRM, move || {
        if let Some(mut memory) = storage::load() {
            memory.add_person(&person);
            storage::store(&memory);
        }
        reload();
    });
}

/// Acts on what is typed in a field.
pub(crate) fn on_input(id: &str, mut act: impl FnMut(String) + 'static) {
    let field = dom::document().and_then(|document| document.get_element_by_id(id));
    let field = field.and_then(|field| field.dyn_into::<web_sys::HtmlInputElement>().ok());
    if let Some(field) = field {
        let typed = field.clone();
        let act = Closure::<dyn FnMut()>::new(move || act(typed.value())).into_js_value();
        field.set_oninput(Some(act.unchecked_ref()));
    }
}

fn on_click(id: &str, act: impl FnMut() + 'static) {
    let button = dom::document().and_then(|document| document.get_element_by_id(id));
    let button = button.and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(button) = button {
        let act = Closure::<dyn FnMut()>::new(act).into_js_value();
        button.set_onclick(Some(act.unchecked_ref()));
    }
}

fn reload() {
    if let Some(window) = dom::window() {
        let _ = window.location().reload();
    }
}

/// Compares the page again after every change of it.
fn observe() {
    let changed = Closure::<dyn FnMut(js_sys::Array, web_sys::MutationObserver)>::new(
        |_: js_sys::Array, observer: web_sys::MutationObserver| compare_again(&observer),
    );
    let observer = web_sys::MutationObserver::new(changed.into_js_value().unchecked_ref());
    let (Ok(observer), Some(document)) = (observer, dom::document()) else {
        return;
    };
    let everything = web_sys::MutationObserverInit::new();
    everything.set_attributes(true);
    everything.set_character_data(true);
    everything.set_child_list(true);
    everything.set_subtree(true);
    let _ = observer.observe_with_options(&document, &everything);
}

fn compare_again(observer: &web_sys::MutationObserver) {
    let altered = WATCHED.with_borrow_mut(|watched| {
        let (watched, shown) = (watched.as_mut()?, dom::read()?);
        // The script shows the warning a minute before the session ends, and a later end when it is prolonged.
        let now = Frame::of_shown(&shown, watched.address.lang, watched.address.path.clone());
        if let (Some(session), Some(now)) = (&mut watched.frame.session, now.session) {
            let name = std::mem::take(&mut session.name);
            *session = now;
            session.name = name;
        }
        let found = differences(&expected(watched)?, &shown);
        if found.is_empty() {
            return None;
        }
        watched.verdict = Verdict::Failed(Finding::Altered(found));
        expected(watched)
    });
    if let Some(page) = altered {
        // Once refused, the page stays refused.
        observer.disconnect();
        let _ = dom::show(&page);
        show();
    }
}

/// A page that stays open becomes old.
fn grow_old() {
    let older = WATCHED.with_borrow_mut(|watched| {
        let watched = watched.as_mut()?;
        let Verdict::Proved(proved) = &watched.verdict else {
            return None;
        };
        watched.verdict = judge(&watched.list, proved.past, proved.last, true, now());
        Some(())
    });
    if older.is_some() {
        show();
    }
}

fn now() -> u64 {
    // Milliseconds since 1970 are a small positive number.
    (js_sys::Date::now() / 1_000.0) as u64
}

/// Random bytes. Without randomness the mark of a person is merely not salted.
fn salt() -> [u8; 16] {
    let mut salt = [0; 16];
    if let Some(crypto) = dom::window().and_then(|window| window.crypto().ok()) {
        let _ = crypto.get_random_values_with_u8_array(&mut salt);
    }
    salt
}
