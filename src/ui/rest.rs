//! The part of the program that the page does not need before its prompt takes keys (`www/build/split.mjs`).

use gloo::events::{EventListener, EventListenerOptions};
use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// Of `www/build/rest.js`. The first part of the program calls it by itself, with `true`, when it cannot wait.
    /// Not there when the page was built in one piece.
    #[wasm_bindgen(catch, js_namespace = globalThis, js_name = capasRest)]
    fn rest(needed: bool) -> Result<(), JsValue>;
}

/// What a visitor does before a command can be given.
const USES: [&str; 3] = ["pointerover", "keydown", "focusin"];

/// Lets the rest come in the background once the visitor turns to the page: an embed that is only looked at, as in most decks,
/// loads no more than it shows.
pub fn begin_when_used() {
    for name in USES {
        if let Some(window) = web_sys::window() {
            EventListener::once_with_options(&window, name, EventListenerOptions::run_in_capture_phase(), |_| begin())
                .forget();
        }
    }
}

/// Lets the rest come in the background.
pub fn begin() {
    // Without it there is nothing to fetch.
    drop(rest(false));
}

/// Waits until the rest is there, or can't be had for now: then whatever needs it asks for it by itself.
pub async fn arrived() {
    let arriving = Reflect::get(&js_sys::global(), &"capasWhole".into()).ok();
    if let Some(arriving) = arriving.and_then(|arriving| arriving.dyn_into::<Promise>().ok()) {
        drop(JsFuture::from(arriving).await);
    }
}
