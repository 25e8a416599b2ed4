//! What is shown when the program breaks: a message in the visitor's language instead of a dead page.
//!
//! After a panic nothing of the app may run any more, so this talks to the DOM directly.

use wasm_bindgen::JsValue;

use crate::ui::{app, dom, keep};

stylance::import_crate_style!(style, "src/ui/broken.module.css");

/// Shows the message on any later panic and writes where it happened to the console.
pub fn install() {
    std::panic::set_hook(Box::new(|info| {
        web_sys::console::error_1(&info.to_string().into());
        keep::save_broken();
        if dom::by_id("broken").is_none() {
            show().unwrap_or_default();
        }
    }));
}

fn show() -> Result<(), JsValue> {
    let texts = app::initial_language().texts();
    let Some(document) = dom::document() else { return Ok(()) };
    let element = |tag: &str, text: &str| -> Result<web_sys::Element, JsValue> {
        let element = document.create_element(tag)?;
        element.set_text_content(Some(text));
        Ok(element)
    };
    let dialog = element("div", "")?;
    dialog.set_id("broken");
    dialog.set_class_name(style::broken);
    dialog.set_attribute("role", "alert")?;
    dialog.append_child(&*element("h1", texts.broken_title)?)?;
    dialog.append_child(&*element("p", texts.broken_text)?)?;
    // A link to the page itself needs no listener, which could not be called any more.
    let link = element("a", app::initial_language().time().go_on)?;
    link.set_attribute("href", "")?;
    dialog.append_child(&link)?;
    if let Some(body) = document.body() {
        body.append_child(&dialog)?;
    }
    Ok(())
}
