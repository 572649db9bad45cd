//! The islands of public pages: the field for a file, the comparison with what the device remembers, and an invented
//! list with a text that can be changed.
//!
//! Each has a place on the page (`data-island`), in which a note for browsers without the program is. The program
//! replaces the note. Nothing that a file has leaves the browser.

use citizen_ui::islands::{
    MAX_FILE, Told, Tone, check_file, compare, example_path, example_told, file_words, prove_example,
};
use citizen_ui::language::lang::Lang;
use citizen_ui::markup::{Element, el};
use citizen_ui::pages::{TRIED, WAY, field, way};
use citizen_ui::proof::device::BUILD;
use citizen_ui::proof::verify::TrustText;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::panic::has_panicked;
use crate::{dom, run, storage};

const INPUT: &str = "datei";
const ANSWER: &str = "ergebnis";

/// Builds the islands of the page.
pub(crate) async fn build() {
    let _ = dom::allow_green();
    let Some(lang) = lang() else { return };
    if let Some(place) = island("file") {
        file(&place, lang);
    }
    if let Some(place) = island("device") {
        device(&place, lang).await;
    }
    if let Some(place) = island("example") {
        example(&place, lang).await;
    }
}

fn lang() -> Option<Lang> {
    let path = dom::window()?.location().pathname().ok()?;
    Lang::of_segment(path.trim_start_matches('/').split('/').next()?)
}

fn island(name: &str) -> Option<web_sys::Element> {
    dom::document()?
        .query_selector(&format!("[data-island='{name}']"))
        .ok()?
}

/// The keys that the page names.
fn trust() -> TrustText {
    let text = |id: &str| {
        let element = dom::document().and_then(|document| document.get_element_by_id(id));
        element.and_then(|element| element.text_content()).unwrap_or_default()
    };
    TrustText {
        policy: text("policy"),
        genesis: text("genesis"),
    }
}

/// Replaces the content of an island.
fn fill(place: &web_sys::Element, content: &[Element]) {
    place.set_text_content(None);
    for built in content.iter().filter_map(dom::build) {
        let _ = place.append_child(&built);
    }
}

fn answer(place: &web_sys::Element, told: &Told) {
    if has_panicked() {
        return;
    }
    // The region exists before the answer, so that a screen reader announces it.
    if let Ok(Some(region)) = place.query_selector(&format!("#{ANSWER}")) {
        fill(&region, &[told.to_element("antwort")]);
    }
}

async fn device(place: &web_sys::Element, lang: Lang) {
    let memory = storage::load();
    let size = memory.as_ref().map_or(0, |memory| memory.size);
    let answer = match &memory {
        Some(_) => run::fetch(&format!("/{}/protokoll/fassung?ab={size}", lang.code())).await,
        None => None,
    };
    let told = compare(answer.as_deref(), &trust(), memory.as_ref(), BUILD, lang);
    if !has_panicked() {
        fill(place, &[told.to_element("geraet-ergebnis")]);
    }
}

/// Proves the invented list, and computes again when the visitor changes the text.
async fn example(place: &web_sys::Element, lang: Lang) {
    let answer = run::fetch(&format!("/{}/so-wird-geprueft/beweis", lang.code())).await;
    let list = answer.and_then(|answer| prove_example(&answer).ok());
    let path = list.as_ref().and_then(example_path).map(|(_, path)| path);
    let mut content = vec![example_told(list.as_ref(), lang).to_element("beispiel-ergebnis")];
    let reason = path.as_ref().and_then(|path| path.reason());
    content.extend(reason.map(|reason| field(lang, reason)));
    if has_panicked() {
        return;
    }
    fill(place, &content);
    let Some(path) = path else { return };
    let _ = dom::place(&way(lang, &path, None), WAY);
    run::on_input(TRIED, move |typed| {
        let _ = dom::place(&way(lang, &path, Some(&typed)), WAY);
    });
}

fn file(place: &web_sys::Element, lang: Lang) {
    let words = file_words(lang);
    let label = el("label").class("kern-label").attr("for", INPUT).text(words.label);
    let input = el("input")
        .class("kern-form-input__input")
        .attr("type", "file")
        .attr("id", INPUT);
    let input = input.attr("aria-describedby", "datei-hinweis");
    let hint = el("p")
        .class("kern-body kern-body--small")
        .attr("id", "datei-hinweis")
        .text(words.hint);
    let field = el("div")
        .class("kern-form-input ec-drop")
        .child(label)
        .child(input)
        .child(hint);
    let region = el("div").attr("id", ANSWER).attr("aria-live", "polite");
    fill(place, &[field, region]);
    let input = dom::document().and_then(|document| document.get_element_by_id(INPUT));
    let Some(input) = input.and_then(|input| input.dyn_into::<web_sys::HtmlInputElement>().ok()) else {
        return;
    };
    let (shown, chosen) = (place.clone(), input.clone());
    let changed = Closure::<dyn FnMut()>::new(move || {
        let file = chosen.files().and_then(|files| files.get(0));
        if let Some(file) = file {
            spawn_local(check(shown.clone(), file, lang));
        }
    });
    // An input for files accepts what is dropped on it, so nothing else listens.
    input.set_onchange(Some(changed.into_js_value().unchecked_ref()));
}

async fn check(place: web_sys::Element, file: web_sys::File, lang: Lang) {
    let told = match read(&file).await {
        Some(bytes) => check_file(&bytes, &trust(), storage::load().as_ref(), BUILD, lang),
        None => Told {
            tone: Tone::Unknown,
            title: file_words(lang).label.to_owned(),
            lines: Vec::new(),
        },
    };
    answer(&place, &told);
}

async fn read(file: &web_sys::File) -> Option<Vec<u8>> {
    if file.size() > MAX_FILE as f64 {
        return Some(vec![0; MAX_FILE + 1]);
    }
    let buffer = JsFuture::from(file.array_buffer()).await.ok()?;
    Some(js_sys::Uint8Array::new(&buffer).to_vec())
}
