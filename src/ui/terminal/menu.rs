//! What can be done with a terminal, behind one button.

use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use wasm_bindgen::JsCast;
use web_sys::{KeyboardEvent, Node};
use yew::prelude::*;

use crate::ui::dom;
use crate::ui::gloss;
use crate::ui::session::Session;
use crate::ui::session::transfer::offer_text;
use crate::view::texts::Language;
use crate::view::transcript;

use super::style;

/// How long the menu says that something was copied.
const SAID_MS: u32 = 2_000;

/// What the menu acts on.
#[derive(Properties, PartialEq)]
pub struct MenuProps {
    /// The machine.
    pub session: Session,
    /// The terminal.
    pub console: usize,
    /// The language.
    pub language: Language,
    /// Whether two are shown.
    pub split: bool,
    /// Shows two, or one again.
    pub on_split: Callback<()>,
    /// Makes letters larger or smaller.
    pub on_size: Callback<isize>,
    /// Whether the screen-reader mode is on.
    pub reader: bool,
    /// Turns it on or off.
    pub on_reader: Callback<()>,
    /// Opens the search.
    pub on_search: Callback<()>,
}

/// The button and, once it is pressed, the menu.
#[function_component]
pub fn Menu(props: &MenuProps) -> Html {
    let texts = props.language.panes();
    let open = use_state_eq(|| false);
    let copied = use_state_eq(|| false);
    let root = use_node_ref();
    let button = use_node_ref();
    {
        // A click anywhere else closes it.
        let (open, root) = (open.clone(), root.clone());
        use_effect_with(*open, move |is_open| {
            let listening = is_open.then(|| {
                dom::document().map(|document| {
                    EventListener::new(&document, "pointerdown", move |event| {
                        let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
                        if dom::html(&root).is_some_and(|root| !root.contains(target.as_ref())) {
                            open.set(false);
                        }
                    })
                })
            });
            move || drop(listening)
        });
    }
    let onkeydown = {
        let (open, button) = (open.clone(), button.clone());
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" && *open {
                open.set(false);
                if let Some(button) = dom::html(&button) {
                    dom::focus(&button);
                }
            }
        })
    };
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    let item = |name: &'static str, stays: bool, act: Callback<()>| {
        let open = open.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            act.emit(());
            if !stays {
                open.set(false);
            }
        });
        html! { <button type="button" class={style::item} {onclick}>{ name }</button> }
    };
    let copy = |name: &'static str, form: fn(&crate::view::screen::Shown) -> String| {
        let (session, console, copied) = (props.session.clone(), props.console, copied.clone());
        let act = Callback::from(move |()| {
            if let Some(view) = session.console(console) {
                dom::copy_text(&form(&view.shown));
                copied.set(true);
                let copied = copied.clone();
                Timeout::new(SAID_MS, move || copied.set(false)).forget();
            }
        });
        item(name, true, act)
    };
    let record = {
        let (session, console) = (props.session.clone(), props.console);
        Callback::from(move |()| offer_text(&session.recording(console), "capas.cast"))
    };
    let by = |by: isize| props.on_size.reform(move |()| by);
    html! {
        <div class={style::more} ref={root} {onkeydown}>
            <button type="button" class={style::open} ref={button} aria-expanded={if *open { "true" } else { "false" }}
                aria-label={texts.more} title={texts.more} onclick={toggle}>{ "⋯" }</button>
            if *open {
                <div class={style::menu} role="group" aria-label={texts.more}>
                    { item(if props.split { texts.unsplit } else { texts.split }, false, props.on_split.clone()) }
                    { item(texts.search, false, props.on_search.clone()) }
                    { item(texts.explain_line, false, Callback::from(|()| gloss::show_list())) }
                    { item(texts.larger, true, by(1)) }
                    { item(texts.smaller, true, by(-1)) }
                    { copy(texts.copy_text, transcript::plain) }
                    { copy(texts.copy_markdown, transcript::markdown) }
                    { item(texts.recording, false, record) }
                    <button type="button" class={style::item} aria-pressed={if props.reader { "true" } else { "false" }}
                        onclick={props.on_reader.reform(|_: MouseEvent| ())}>
                        { texts.reader_mode }{ if props.reader { " ✓" } else { "" } }
                    </button>
                    <p class={style::said} role="status">{ if *copied { texts.copied } else { "" } }</p>
                </div>
            }
        </div>
    }
}
