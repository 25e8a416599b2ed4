//! A button of the header and the panel that it opens, with the browser's own popover: Escape and a click beside it close it.

use wasm_bindgen::JsCast;
use yew::prelude::*;

use crate::ui::dom;

stylance::import_crate_style!(style, "src/ui/panel.module.css");

/// What a panel shows.
#[derive(Properties, PartialEq)]
pub struct PanelProps {
    /// Its element's id.
    pub id: &'static str,
    /// Its name.
    pub label: &'static str,
    /// What the button draws: paths in a square of 16.
    pub icon: &'static str,
    /// It was opened or closed.
    #[prop_or_default]
    pub ontoggle: Callback<Event>,
    /// What is in it.
    pub children: Html,
}

/// The button and the panel.
#[function_component]
pub fn Panel(props: &PanelProps) -> Html {
    html! {
        <>
            <button type="button" class={style::button} popovertarget={props.id} aria-label={props.label}
                title={props.label} data-capas={props.id}>
                <svg viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6"
                    stroke-linecap="round" stroke-linejoin="round"><path d={props.icon} /></svg>
            </button>
            <div id={props.id} class={style::panel} popover="auto" role="dialog" aria-label={props.label}
                ontoggle={props.ontoggle.clone()}>
                <h2>{ props.label }</h2>
                { props.children.clone() }
            </div>
        </>
    }
}

/// Closes a panel.
pub fn hide(id: &str) {
    // Absent from web-sys without a feature of its own.
    if let Some(panel) = dom::by_id(id)
        && let Ok(hide) = js_sys::Reflect::get(&panel, &"hidePopover".into())
        && let Some(hide) = hide.dyn_ref::<js_sys::Function>()
    {
        hide.call0(&panel).map(drop).unwrap_or_default();
    }
}
