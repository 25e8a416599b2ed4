//! The settings: from the address, else from an earlier visit, and the panel in which they are changed.

use wasm_bindgen::JsCast;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::ui::dom;
use crate::ui::fidelity::FidelityButton;
use crate::ui::panel::Panel;
use crate::ui::session::Session;
use crate::view::settings::{Choice, Hints, Motion, Speed, Theme, Voice};
use crate::view::texts::Language;

stylance::import_crate_style!(style, "src/ui/settings.module.css");

/// What is set.
#[derive(Clone, Copy, PartialEq, Default)]
pub struct Settings {
    /// Colours.
    pub theme: Theme,
    /// The machine's speed.
    pub speed: Speed,
    /// What moves.
    pub motion: Motion,
    /// The builder.
    pub voice: Voice,
    /// Commands to try.
    pub hints: Hints,
}

fn kept<T: Choice>() -> T {
    let name = dom::parameter(T::PARAMETER);
    let from_address = name.and_then(|name| T::from_name(&name));
    let kept = || dom::kept(&key::<T>()).and_then(|name| T::from_name(&name));
    from_address.or_else(kept).unwrap_or_default()
}

fn key<T: Choice>() -> String {
    format!("capas.{}", T::PARAMETER)
}

impl Settings {
    /// Those of the address, of an earlier visit, or what is usual.
    pub fn initial() -> Self {
        Self { theme: kept(), speed: kept(), motion: kept(), voice: kept(), hints: kept() }
    }

    /// Shows them to the styles.
    pub fn show(self) {
        if let Some(root) = dom::document().and_then(|document| document.document_element()) {
            root.set_attribute("data-theme", self.theme.name()).unwrap_or_default();
            root.set_attribute("data-motion", self.motion.name()).unwrap_or_default();
            root.set_attribute("data-hints", self.hints.name()).unwrap_or_default();
        }
    }
}

/// What the panel needs.
#[derive(Properties, PartialEq)]
pub struct SettingsPanelProps {
    /// The machine.
    pub session: Session,
    /// The language of the panel.
    pub language: Language,
    /// What is set.
    pub settings: Settings,
    /// Something else is.
    pub on_change: Callback<Settings>,
}

/// The button and its panel.
#[function_component]
pub fn SettingsPanel(props: &SettingsPanelProps) -> Html {
    let texts = props.language.time();
    let settings = props.settings;
    let change = |act: fn(&mut Settings, &str), props: &SettingsPanelProps| {
        let on_change = props.on_change.clone();
        Callback::from(move |name: String| {
            let mut settings = settings;
            act(&mut settings, &name);
            on_change.emit(settings);
        })
    };
    let on_voice = {
        let (session, change) = (props.session.clone(), change(|s, name| set(&mut s.voice, name), props));
        Callback::from(move |name: String| {
            if let Some(voice) = Voice::from_name(&name).filter(|_| !session.options().read_only) {
                // The running shell learns it at its prompt, where everybody sees it.
                session.type_command(0, voice.command());
            }
            change.emit(name);
        })
    };
    html! {
        <Panel id="settings" label={texts.settings}
            icon="M2 4.5h5.8M12.2 4.5H14M2 11.5h1.8M8.2 11.5H14M12 4.5a2 2 0 1 1-4 0 2 2 0 0 1 4 0M8 11.5a2 2 0 1 1-4 0 2 2 0 0 1 4 0">
                { choice::<Theme>(texts.theme, &texts.themes, settings.theme, change(|s, n| set(&mut s.theme, n), props)) }
                { choice::<Speed>(texts.speed, &texts.speeds, settings.speed, change(|s, n| set(&mut s.speed, n), props)) }
                { choice::<Motion>(texts.motion, &texts.motions, settings.motion,
                    change(|s, n| set(&mut s.motion, n), props)) }
                { choice::<Voice>(texts.voice, &texts.voices, settings.voice, on_voice) }
                { choice::<Hints>(texts.hints, &texts.hint_values, settings.hints,
                    change(|s, n| set(&mut s.hints, n), props)) }
                <FidelityButton language={props.language} />
        </Panel>
    }
}

fn set<T: Choice>(place: &mut T, name: &str) {
    if let Some(value) = T::from_name(name) {
        *place = value;
        dom::keep(&key::<T>(), name);
    }
}

/// One setting: a list of its values.
fn choice<T: Choice>(label: &'static str, names: &[&'static str], value: T, on_name: Callback<String>) -> Html {
    let onchange = Callback::from(move |event: Event| {
        if let Some(select) = event.target().and_then(|target| target.dyn_into::<HtmlSelectElement>().ok()) {
            on_name.emit(select.value());
        }
    });
    let option = |((known, name), text): (&(T, &'static str), &&'static str)| {
        html! { <option value={*name} selected={*known == value}>{ *text }</option> }
    };
    html! {
        <label class={style::setting}>
            <span>{ label }</span>
            <select {onchange} data-setting={T::PARAMETER}>{ for T::ALL.iter().zip(names).map(option) }</select>
        </label>
    }
}
