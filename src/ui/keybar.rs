//! The keys that phones do not have, in a bar under the terminal. Shown on touch screens only.

use yew::prelude::*;

use crate::ui::session::Session;
use crate::view::keys::KeyPress;
use crate::view::texts::Language;

stylance::import_crate_style!(style, "src/ui/keybar.module.css");

/// The keys: what is shown and what is pressed.
const KEYS: [(&str, &str); 9] = [
    ("Esc", "Escape"),
    ("Tab", "Tab"),
    ("↑", "ArrowUp"),
    ("↓", "ArrowDown"),
    ("←", "ArrowLeft"),
    ("→", "ArrowRight"),
    ("-", "-"),
    ("/", "/"),
    ("|", "|"),
];

/// What the bar types into.
#[derive(Properties, PartialEq)]
pub struct KeyBarProps {
    /// The machine.
    pub session: Session,
    /// The number of the terminal.
    pub console: usize,
    /// The language of its name.
    pub language: Language,
    /// Whether the next character typed becomes a control character.
    pub ctrl: bool,
    /// Ctrl was touched.
    pub on_ctrl: Callback<()>,
}

/// The bar.
#[function_component]
pub fn KeyBar(props: &KeyBarProps) -> Html {
    let key = |(shown, key): (&'static str, &'static str)| {
        let (session, console) = (props.session.clone(), props.console);
        let onclick = Callback::from(move |_: MouseEvent| {
            if !session.key(console, KeyPress { key, ..KeyPress::default() }) {
                session.send(console, key.as_bytes());
            }
        });
        html! { <button type="button" class={style::key} tabindex="-1" onmousedown={stay()} {onclick}>{ shown }</button> }
    };
    let on_ctrl = props.on_ctrl.reform(|_: MouseEvent| ());
    let [escape, tab, rest @ ..] = KEYS;
    html! {
        <div class={style::keybar} role="group" aria-label={props.language.texts().key_bar}>
            { key(escape) }
            { key(tab) }
            <button type="button" class={style::key} tabindex="-1" aria-pressed={if props.ctrl { "true" } else { "false" }}
                onmousedown={stay()} onclick={on_ctrl}>{ "Ctrl" }</button>
            { for rest.map(key) }
        </div>
    }
}

/// A touch must not take the keyboard away from the terminal: the phone's would close.
fn stay() -> Callback<MouseEvent> {
    Callback::from(|event: MouseEvent| event.prevent_default())
}
