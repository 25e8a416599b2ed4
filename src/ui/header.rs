//! The page's head: its name, what it is, language and theme.

use wasm_bindgen::JsCast;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::view::texts::Language;

stylance::import_crate_style!(style, "src/ui/header.module.css");

/// A colour scheme.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Theme {
    /// What the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// As in the address and in `data-theme`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// From its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

/// What the header shows and whom it tells.
#[derive(Properties, PartialEq)]
pub struct HeaderProps {
    /// The language chosen.
    pub language: Language,
    /// The theme chosen.
    pub theme: Theme,
    /// Whether lessons stand beside the terminal.
    pub lessons: bool,
    /// They are to come or go.
    pub on_lessons: Callback<()>,
    /// Another language.
    pub on_language: Callback<Language>,
    /// Another theme.
    pub on_theme: Callback<Theme>,
}

/// The header.
#[function_component]
pub fn Header(props: &HeaderProps) -> Html {
    let texts = props.language.texts();
    let onchange = {
        let on_theme = props.on_theme.clone();
        Callback::from(move |event: Event| {
            let select = event.target().and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
            if let Some(theme) = select.and_then(|select| Theme::from_name(&select.value())) {
                on_theme.emit(theme);
            }
        })
    };
    let theme_name = |theme: Theme| match theme {
        Theme::System => texts.theme_system,
        Theme::Light => texts.theme_light,
        Theme::Dark => texts.theme_dark,
    };
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
                <label class={style::theme}>
                    <svg viewBox="0 0 16 16" aria-hidden="true">
                        <circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6" />
                        <path d="M8 1.8a6.2 6.2 0 0 1 0 12.4z" fill="currentColor" />
                    </svg>
                    <span class={style::hidden}>{ texts.theme_label }</span>
                    <select {onchange}>
                        { for Theme::ALL.map(|theme| html! {
                            <option value={theme.name()} selected={theme == props.theme}>{ theme_name(theme) }</option>
                        }) }
                    </select>
                </label>
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
