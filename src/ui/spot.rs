//! One colour a digest everywhere: ids in terminals have the colour of what they name in the picture, and pointing at
//! either side lights up the other.
//!
//! Whatever shows an id has it in `data-spot`. Which ids are known is told with every new picture ([`tell`]); the colours are a
//! style sheet of the document's own, so that no row of a terminal is drawn anew.

use std::cell::RefCell;
use std::collections::BTreeMap;

use gloo::events::EventListener;
use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Element;

use crate::ui::dom;
use crate::view::ids;
use crate::view::picture::Picture;

thread_local! {
    static KNOWN: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
    static SHEET: RefCell<Option<Object>> = const { RefCell::new(None) };
    static LIT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Tells which ids there are.
pub fn tell(picture: &Picture) {
    let known = ids::known(picture);
    if KNOWN.with_borrow(|old| *old == known) {
        return;
    }
    write_sheet(&ids::sheet(&known));
    KNOWN.set(known);
}

/// What the picture calls what has this short id.
fn name_of(id: &str) -> Option<String> {
    KNOWN.with_borrow(|known| known.get(id).cloned())
}

/// Lights up what is pointed at, wherever in the document, as long as the listeners live.
pub fn listen() -> Vec<EventListener> {
    let Some(document) = dom::document() else { return Vec::new() };
    let events = ["mouseover", "focusin"].into_iter();
    let listener = |kind| {
        EventListener::new(&document, kind, |event| light(spot_of(event.target()).as_deref().unwrap_or_default()))
    };
    events.map(listener).collect()
}

/// The short id that an event is about.
fn spot_of(target: Option<web_sys::EventTarget>) -> Option<String> {
    let element = target?.dyn_into::<Element>().ok()?;
    element.closest("[data-spot]").ok().flatten()?.get_attribute("data-spot")
}

fn light(id: &str) {
    let name = name_of(id).unwrap_or_default();
    if LIT.with_borrow(|lit| *lit == name) {
        return;
    }
    let Some(document) = dom::document() else { return };
    let each = |selector: &str, act: &dyn Fn(&Element)| {
        if let Ok(found) = document.query_selector_all(selector) {
            let elements = (0..found.length()).filter_map(|at| found.item(at)?.dyn_into::<Element>().ok());
            elements.for_each(|element| act(&element));
        }
    };
    each("[data-lit]", &|element| element.remove_attribute("data-lit").unwrap_or_default());
    if !name.is_empty() {
        // Digits only, so nothing in a selector needs quoting.
        let aliases: Vec<String> = KNOWN.with_borrow(|known| {
            known.iter().filter(|(_, of)| **of == name).map(|(alias, _)| format!("[data-spot=\"{alias}\"]")).collect()
        });
        each(&aliases.join(","), &|element| element.set_attribute("data-lit", "").unwrap_or_default());
    }
    LIT.set(name);
}

/// Replaces the document's sheet of ids. A constructed sheet is what a strict content security policy lets pass.
fn write_sheet(text: &str) {
    let made = SHEET.with_borrow(Clone::clone).or_else(adopt);
    if let Some(sheet) = &made
        && let Some(replace) = function(sheet, "replaceSync")
    {
        replace.call1(sheet, &JsValue::from_str(text)).unwrap_or_default();
    }
    SHEET.set(made);
}

fn adopt() -> Option<Object> {
    let constructor = function(&js_sys::global(), "CSSStyleSheet")?;
    let sheet: Object = Reflect::construct(&constructor, &Array::new()).ok()?.dyn_into().ok()?;
    let document = dom::document()?;
    let name = JsValue::from_str("adoptedStyleSheets");
    let sheets = Array::from(&Reflect::get(&document, &name).ok()?);
    sheets.push(&sheet);
    Reflect::set(&document, &name, &sheets).ok()?;
    Some(sheet)
}

fn function(of: &Object, name: &str) -> Option<Function> {
    Reflect::get(of, &JsValue::from_str(name)).ok()?.dyn_into().ok()
}
