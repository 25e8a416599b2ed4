//! What is simulated: a panel that is read from the tables that run it, as `capas fidelity` is.

use crate::base::sort::Arrange;
use yew::prelude::*;

use crate::docker::cli::fidelity::{Extent, Row, rows};
use crate::docker::dockerfile::parse::INSTRUCTIONS;
use crate::docker::registry::recipes;
use crate::os::userland;
use crate::view::texts::{Language, fill};

stylance::import_crate_style!(style, "src/ui/fidelity.module.css");

const ID: &str = "fidelity";

/// What the panel needs.
#[derive(Properties, PartialEq)]
pub struct FidelityProps {
    /// The language.
    pub language: Language,
}

/// What opens the panel.
#[function_component]
pub fn FidelityButton(props: &FidelityProps) -> Html {
    html! {
        <button type="button" class={style::open} popovertarget={ID} data-capas="what-is-simulated">
            { props.language.time().fidelity }
        </button>
    }
}

/// The panel.
#[function_component]
pub fn FidelityPanel(props: &FidelityProps) -> Html {
    let texts = props.language.time();
    // Nobody pays for the table who does not look at it.
    let is_open = use_state_eq(|| false);
    let ontoggle = {
        let is_open = is_open.clone();
        Callback::from(move |_: Event| is_open.set(true))
    };
    html! {
        <div id={ID} class={style::panel} popover="auto" role="dialog" aria-label={texts.fidelity} data-capas={ID} {ontoggle}>
            <header>
                <h2>{ texts.fidelity }</h2>
                <button type="button" class={style::close} popovertarget={ID} popovertargetaction="hide"
                    aria-label={props.language.texts().close}>{ "×" }</button>
            </header>
            <p>{ texts.fidelity_why }</p>
            if *is_open {
                { body(props.language) }
            }
        </div>
    }
}

fn body(language: Language) -> Html {
    let texts = language.time();
    let all = rows();
    let row = |row: &Row| {
        let extent = match &row.extent {
            Extent::Whole => html! { <b class={style::whole}>{ texts.fidelity_whole }</b> },
            Extent::Nothing => html! { <b class={style::nothing}>{ texts.fidelity_nothing }</b> },
            Extent::Without(flags) => {
                let [before, after] = texts.fidelity_part;
                html! {
                    <><b class={style::part}>{ before }</b>{ " " }{ after }{ " " }
                    { for flags.iter().map(|flag| html! { <><code>{ flag }</code>{ " " }</> }) }</>
                }
            }
        };
        html! { <tr><th scope="row"><code>{ &row.name }</code></th><td>{ extent }</td></tr> }
    };
    let mut repositories: Vec<&str> =
        recipes::repositories().map(|path| path.strip_prefix("library/").unwrap_or(path)).collect();
    repositories.arrange();
    repositories.dedup();
    let mut programs: Vec<&str> = userland::names().collect();
    programs.arrange();
    programs.dedup();
    let list = |title: &'static str, names: &[&str]| {
        html! {
            <>
                <h3>{ fill(title, &[&names.len().to_string()]) }</h3>
                <p class={style::names}>{ for names.iter().map(|name| html! { <><code>{ *name }</code>{ " " }</> }) }</p>
            </>
        }
    };
    html! {
        <>
            { list(texts.fidelity_instructions, &INSTRUCTIONS) }
            { list(texts.fidelity_images, &repositories) }
            <h3>{ texts.fidelity_commands }</h3>
            <table><tbody>{ for all.iter().map(row) }</tbody></table>
            { list(texts.fidelity_programs, &programs) }
        </>
    }
}
