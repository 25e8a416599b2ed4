//! The page's head: its name, what it is, language, and what is given it to hold.

use yew::prelude::*;

use crate::view::texts::Language;

stylance::import_crate_style!(style, "src/ui/header.module.css");

/// What the header shows and whom it tells.
#[derive(Properties, PartialEq)]
pub struct HeaderProps {
    /// The language chosen.
    pub language: Language,
    /// Whether lessons stand beside the terminal.
    pub lessons: bool,
    /// They are to come or go.
    pub on_lessons: Callback<()>,
    /// Another language.
    pub on_language: Callback<Language>,
    /// What stands behind the languages.
    pub children: Html,
}

/// The header.
#[function_component]
pub fn Header(props: &HeaderProps) -> Html {
    let texts = props.language.texts();
    let language = |language: Language| {
        let on_language = props.on_language.clone();
        let onclick = Callback::from(move |_: MouseEvent| on_language.emit(language));
        let pressed = if language == props.language { "true" } else { "false" };
        let name = language.texts().language_name;
        html! {
            <button type="button" class={style::language} aria-pressed={pressed} lang={language.tag()} title={name}
                aria-label={name} {onclick}>{ language.tag().to_uppercase() }</button>
        }
    };
    html! {
        <header class={style::header}>
            <div class={style::name}>
                <Logo />
                <h1>{ "Capas" }</h1>
            </div>
            <p class={style::purpose}>{ texts.purpose }</p>
            <div class={style::choices}>
                <button type="button" class={style::lessons} data-capas="lessons" aria-pressed={props.lessons.to_string()}
                    onclick={props.on_lessons.reform(|_: MouseEvent| ())}>{ props.language.lesson().open }</button>
                <div class={style::languages} role="group" aria-label={texts.language_label}>
                    { for Language::ALL.map(language) }
                </div>
                { props.children.clone() }
            </div>
        </header>
    }
}

/// Three layers.
#[function_component]
fn Logo() -> Html {
    html! {
        <svg class={style::logo} viewBox="0 0 32 32" aria-hidden="true">
            <path class={style::low} d="M3 21.5 16 28l13-6.5-4-2L16 24l-9-4.5z" />
            <path class={style::middle} d="M3 16l13 6.5L29 16l-4-2-9 4.5L7 14z" />
            <path class={style::high} d="M16 4 3 10.5 16 17l13-6.5z" />
        </svg>
    }
}
