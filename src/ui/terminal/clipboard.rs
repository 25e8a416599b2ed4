//! Copying out of a terminal and pasting into it.

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, HtmlElement};
use yew::prelude::*;

use crate::ui::dom;
use crate::ui::session::Session;

/// The selected text, unless nothing is selected.
pub fn selected_text() -> Option<String> {
    let selection = web_sys::window()?.get_selection().ok()??;
    if selection.is_collapsed() {
        return None;
    }
    Some(String::from(selection.to_string())).filter(|text| !text.is_empty())
}

pub fn copy(document: &web_sys::Document) {
    // The event `copy` that follows puts the text together.
    if let Ok(command) = js_sys::Reflect::get(document, &"execCommand".into())
        && let Some(command) = command.dyn_ref::<js_sys::Function>()
    {
        command.call1(document, &"copy".into()).unwrap_or_default();
    }
}

/// The selected rows as text: rows that a long line was wrapped into are one line again.
fn selected_rows(view: &HtmlElement) -> Option<String> {
    let selection = web_sys::window()?.get_selection().ok()??;
    if selection.is_collapsed() || selection.range_count() == 0 {
        return None;
    }
    let range = selection.get_range_at(0).ok()?;
    let rows = view.query_selector_all("[data-capas=row]").ok()?;
    let mut text = String::new();
    let mut open = false;
    for at in 0..rows.length() {
        let Some(row) = rows.item(at).filter(|row| range.intersects_node(row).unwrap_or(false)) else { continue };
        if open {
            text.push('\n');
        }
        let part = range.clone_range();
        let holds = |node: web_sys::Node| row.contains(Some(&node));
        if !range.start_container().is_ok_and(holds) {
            part.set_start(&row, 0).ok()?;
        }
        if !range.end_container().is_ok_and(holds) {
            part.set_end(&row, row.child_nodes().length()).ok()?;
        }
        text.push_str(&String::from(part.to_string()));
        let element: &HtmlElement = row.unchecked_ref();
        open = !element.has_attribute("data-wrapped");
    }
    Some(text)
}

/// Copies what is selected in the rows, and pastes into the terminal wherever in it the keyboard is.
#[hook]
pub fn use_clipboard(session: &Session, at: usize, view: &NodeRef, keys: &NodeRef) {
    let (session, view, keys) = (session.clone(), view.clone(), keys.clone());
    use_effect_with(at, move |at| {
        let at = *at;
        let mut listening = Vec::new();
        if let Some(element) = dom::html(&view) {
            let cancelling = EventListenerOptions::enable_prevent_default();
            let rows = element.clone();
            listening.push(EventListener::new_with_options(&element, "copy", cancelling, move |event| {
                let event: &ClipboardEvent = event.unchecked_ref();
                if let (Some(clipboard), Some(text)) = (event.clipboard_data(), selected_rows(&rows)) {
                    clipboard.set_data("text/plain", &text).unwrap_or_default();
                    event.prevent_default();
                    if let Some(selection) = web_sys::window().and_then(|window| window.get_selection().ok().flatten())
                    {
                        selection.remove_all_ranges().unwrap_or_default();
                    }
                }
            }));
            let typing = session.clone();
            listening.push(EventListener::new_with_options(&element, "paste", cancelling, move |event| {
                let event: &ClipboardEvent = event.unchecked_ref();
                event.prevent_default();
                let text = event.clipboard_data().and_then(|clipboard| clipboard.get_data("text/plain").ok());
                if let Some(text) = text.filter(|text| !text.is_empty()) {
                    typing.paste(at, &text);
                }
            }));
        }
        if let Some(area) = dom::html(&keys) {
            let typing = session.clone();
            listening.push(EventListener::new(&area.clone(), "compositionend", move |_| {
                super::screen::take_typed(&typing, at, area.clone().dyn_into().ok(), false);
            }));
        }
        move || drop(listening)
    });
}
