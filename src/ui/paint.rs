//! Classes for the colours of terminal text.
//!
//! The theme's 16 colours are in the style sheet. Any other colour gets a rule of its own, added through the CSSOM the
//! first time it is seen: style attributes would be refused by a strict content security policy.

use std::cell::RefCell;
use std::collections::BTreeSet;

use wasm_bindgen::JsCast;

use crate::ui::dom;
use crate::view::screen::{Ink, Run};

/// Rules for colours that are added at most: a program may ask for sixteen million.
const MAX_COLOURS: usize = 1024;

thread_local! {
    static KNOWN: RefCell<BTreeSet<(u8, u8, u8)>> = const { RefCell::new(BTreeSet::new()) };
}

/// The classes of a run of text; empty for plain text.
pub fn classes(run: &Run) -> String {
    let style = &run.style;
    let mut classes = String::new();
    let mut add = |class: &str| {
        if !classes.is_empty() {
            classes.push(' ');
        }
        classes.push_str(class);
    };
    match style.ink {
        Ink::Text => {}
        Ink::Ground => add("t-fg-ground"),
        Ink::Palette(n) => add(&format!("t-fg-{n}")),
        Ink::Rgb(r, g, b) => add(&mixed('f', (r, g, b))),
    }
    match style.paper {
        Ink::Ground => {}
        Ink::Text => add("t-bg-text"),
        Ink::Palette(n) => add(&format!("t-bg-{n}")),
        Ink::Rgb(r, g, b) => add(&mixed('b', (r, g, b))),
    }
    for (is, class) in [
        (style.bold, "t-bold"),
        (style.faint, "t-faint"),
        (style.italic, "t-italic"),
        (style.underline, "t-under"),
        (style.strike, "t-strike"),
        (run.cells == 1, "t-one"),
        (run.cells == 2, "t-two"),
    ] {
        if is {
            add(class);
        }
    }
    classes
}

/// The class of a colour of its own. Shades that nobody can tell apart share one.
fn mixed(plane: char, (r, g, b): (u8, u8, u8)) -> String {
    let coarse = |level: u8| level & 0xf8;
    let colour = (coarse(r), coarse(g), coarse(b));
    let hex = format!("{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2);
    KNOWN.with_borrow_mut(|known| {
        if known.len() < MAX_COLOURS && known.insert(colour) {
            let rules = [format!(".t-f-{hex}{{color:#{hex}}}"), format!(".t-b-{hex}{{background-color:#{hex}}}")];
            let sheet = dom::document()
                .and_then(|document| document.style_sheets().item(0))
                .and_then(|sheet| sheet.dyn_into::<web_sys::CssStyleSheet>().ok());
            if let Some(sheet) = sheet {
                for rule in rules {
                    sheet.insert_rule(&rule).unwrap_or_default();
                }
            }
        }
    });
    format!("t-{plane}-{hex}")
}
