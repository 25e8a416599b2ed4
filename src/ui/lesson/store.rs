//! Where lessons come from and where progress is kept.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlElement, HtmlInputElement, Response};

use crate::ui::dom;
use crate::view::progress::{Done, Progress};
use crate::view::texts::Language;

const PROGRESS: &str = "capas.progress";
/// Files that are larger are not read.
const MAX_FILE_BYTES: f64 = 8e6;

thread_local! {
    /// What was fetched, by its address.
    static FETCHED: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
    /// For browsers that keep nothing.
    static MEMORY: RefCell<Option<Progress>> = const { RefCell::new(None) };
}

/// The text of a file of the exercises; it is asked for once.
pub async fn fetch(language: Language, name: &str) -> Option<String> {
    let url = format!("exercises/{}/{name}.md", language.tag());
    if let Some(known) = FETCHED.with_borrow(|known| known.get(&url).cloned()) {
        return Some(known);
    }
    let response = JsFuture::from(web_sys::window()?.fetch_with_str(&url)).await.ok()?;
    let response: Response = response.dyn_into().ok().filter(Response::ok)?;
    let text = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
    FETCHED.with_borrow_mut(|known| known.insert(url, text.clone()));
    Some(text)
}

/// The progress so far.
pub fn progress() -> Progress {
    MEMORY.with_borrow_mut(|memory| {
        memory
            .get_or_insert_with(|| dom::kept(PROGRESS).and_then(|text| Progress::parse(&text)).unwrap_or_default())
            .clone()
    })
}

/// Notes that an exercise was solved.
pub fn note(id: &str, done: Done) {
    let mut progress = progress();
    progress.note(id, done);
    keep(progress);
}

/// Takes in a file of progress; whether it was one.
pub fn import(text: &str) -> bool {
    let Some(other) = Progress::parse(text) else { return false };
    let mut progress = progress();
    progress.merge(&other);
    keep(progress);
    true
}

fn keep(progress: Progress) {
    dom::keep(PROGRESS, &progress.to_text());
    MEMORY.set(Some(progress));
}

/// Lets the browser save text as a file.
pub fn save(name: &str, text: &str) {
    let encoded = String::from(js_sys::encode_uri_component(text));
    let link = dom::document().and_then(|document| document.create_element("a").ok());
    if let Some(link) = link.and_then(|link| link.dyn_into::<HtmlElement>().ok()) {
        link.set_attribute("href", &format!("data:text/plain;charset=utf-8,{encoded}")).unwrap_or_default();
        link.set_attribute("download", name).unwrap_or_default();
        link.click();
    }
}

/// A file that was chosen.
pub struct Chosen {
    /// Its name.
    pub name: String,
    /// Its text; `None` if it is larger than anything that is opened here.
    pub text: Option<String>,
}

/// The files that were chosen in an input, which is then empty again.
pub async fn chosen(input: HtmlInputElement) -> Vec<Chosen> {
    let mut all = Vec::new();
    let files = input.files();
    for file in (0..files.as_ref().map_or(0, web_sys::FileList::length)).filter_map(|at| files.as_ref()?.get(at)) {
        let text = if file.size() > MAX_FILE_BYTES {
            None
        } else {
            // What is not UTF-8 is read with marks in its place.
            JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string())
        };
        all.push(Chosen { name: file.name(), text });
    }
    input.set_value("");
    all
}
