//! The search through what a terminal shows.

use web_sys::{HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use crate::view::texts::{Language, fill};

use super::style;

/// What the bar shows and whom it tells.
#[derive(Properties, PartialEq)]
pub struct SearchProps {
    /// The language.
    pub language: Language,
    /// How many rows hold it.
    pub count: usize,
    /// Which of them is looked at.
    pub at: usize,
    /// What is sought.
    pub needle: AttrValue,
    /// Something else is sought.
    pub on_needle: Callback<AttrValue>,
    /// To the next or the previous one.
    pub on_step: Callback<isize>,
    /// Enough.
    pub on_close: Callback<()>,
}

/// The bar.
#[function_component]
pub fn Search(props: &SearchProps) -> Html {
    let texts = props.language.panes();
    let field = use_node_ref();
    {
        let field = field.clone();
        use_effect_with((), move |()| {
            if let Some(field) = field.cast::<HtmlInputElement>() {
                field.focus().unwrap_or_default();
                field.select();
            }
        });
    }
    let oninput = props.on_needle.reform(|event: InputEvent| {
        event.target_dyn_into::<HtmlInputElement>().map(|field| field.value()).unwrap_or_default().into()
    });
    let onkeydown = {
        let (on_step, on_close) = (props.on_step.clone(), props.on_close.clone());
        Callback::from(move |event: KeyboardEvent| {
            event.stop_propagation();
            match event.key().as_str() {
                "Enter" => on_step.emit(if event.shift_key() { 1 } else { -1 }),
                "Escape" => on_close.emit(()),
                _ => return,
            }
            event.prevent_default();
        })
    };
    let step = |by: isize, name: &'static str, sign: &'static str| {
        let onclick = props.on_step.reform(move |_: MouseEvent| by);
        html! { <button type="button" class={style::open} aria-label={name} title={name} {onclick}>{ sign }</button> }
    };
    let count = match props.count {
        0 if props.needle.is_empty() => String::new(),
        0 => texts.found_none.to_owned(),
        count => fill(texts.found, &[&(props.at + 1).to_string(), &count.to_string()]),
    };
    html! {
        <div class={style::search} role="search" {onkeydown}>
            <input ref={field} type="search" aria-label={texts.search_label} autocomplete="off" spellcheck="false"
                value={props.needle.clone()} {oninput} />
            <span role="status">{ count }</span>
            { step(-1, texts.previous, "↑") }
            { step(1, texts.next, "↓") }
            <button type="button" class={style::open} aria-label={texts.close} title={texts.close}
                onclick={props.on_close.reform(|_: MouseEvent| ())}>{ "×" }</button>
        </div>
    }
}
