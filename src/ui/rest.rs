//! The part of the program that the page does not need before its prompt takes keys (`www/build/split.mjs`).

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// Of `www/build/rest.js`. The first part of the program calls it by itself, with `true`, when it cannot wait.
    /// Not there when the page was built in one piece.
    #[wasm_bindgen(catch, js_namespace = globalThis, js_name = capasRest)]
    fn rest(needed: bool) -> Result<(), JsValue>;
}

/// Lets the rest come in the background.
pub fn begin() {
    // Without it there is nothing to fetch.
    drop(rest(false));
}
