//! Handing in: all that was typed in a lesson, as a file or a link.

use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlInputElement;
use yew::platform::spawn_local;
use yew::prelude::*;

use crate::lesson::submission::Submission;
use crate::ui::dom;
use crate::ui::lesson::{store, style};
use crate::ui::session::Session;
use crate::view::texts::Language;

/// Under what the student's name is kept.
const NAME: &str = "capas.name";

/// What is handed in.
#[derive(Properties, PartialEq)]
pub struct HandInProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
    /// The lesson's id.
    pub lesson: String,
    /// Whether it is solved: what is not can be handed in as well.
    pub is_solved: bool,
    /// Hints that were seen.
    pub hints: u64,
    /// Whether the solution was seen.
    pub saw_solution: bool,
}

/// The student's name, and the two ways.
#[function_component]
pub fn HandIn(props: &HandInProps) -> Html {
    let texts = props.language.lesson();
    let name = use_state(|| dom::kept(NAME).unwrap_or_default());
    let told = use_state(|| "");
    let submission = {
        let (session, name) = (props.session.clone(), (*name).clone());
        let (lesson, hints, saw_solution) = (props.lesson.clone(), props.hints, props.saw_solution);
        move || Submission {
            lesson: lesson.clone(),
            name: name.clone(),
            hints,
            saw_solution,
            journal: session.look(|machine| machine.journal().clone()),
        }
    };
    let oninput = {
        let name = name.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                dom::keep(NAME, &input.value());
                name.set(input.value());
            }
        })
    };
    let on_save = {
        let (submission, lesson, name) = (submission.clone(), props.lesson.clone(), (*name).clone());
        Callback::from(move |_: MouseEvent| {
            let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
            let parts = [lesson.as_str(), name.trim()].into_iter().filter(|part| !part.is_empty());
            let file = parts.map(|part| part.chars().map(plain).collect::<String>()).collect::<Vec<_>>().join("-");
            store::save(&format!("{file}.json"), &submission().to_text());
        })
    };
    let on_copy = {
        let told = told.clone();
        Callback::from(move |_: MouseEvent| {
            let Some(window) = web_sys::window() else { return };
            let page = window.location().href().unwrap_or_default();
            let page = page.split(['?', '#']).next().unwrap_or_default();
            let link = submission().to_link(&format!("{page}?lesson"));
            let told = told.clone();
            spawn_local(async move {
                // A page that is not served safely has no clipboard at all.
                let clipboard = js_sys::Reflect::get(&window.navigator(), &"clipboard".into());
                let copied = match clipboard {
                    Ok(object) if !object.is_undefined() => {
                        JsFuture::from(window.navigator().clipboard().write_text(&link)).await.is_ok()
                    }
                    _ => false,
                };
                told.set(if copied { texts.copied } else { texts.not_copied });
            });
        })
    };
    // A page that was opened from a disk is on nobody else's at the same place.
    let has_address =
        web_sys::window().and_then(|w| w.location().protocol().ok()).is_some_and(|p| p.starts_with("http"));
    html! {
        <details class={style::hand_in} data-capas="hand-in">
            <summary>{ if props.is_solved { texts.hand_in } else { texts.hand_in_unsolved } }</summary>
            <p>{ texts.hand_in_why }</p>
            <label>{ texts.name }<input type="text" autocomplete="name" maxlength="80" value={(*name).clone()} {oninput} /></label>
            <div class={style::offers}>
                if has_address {
                    <button type="button" data-capas="copy-link" onclick={on_copy}>{ texts.copy_link }</button>
                }
                <button type="button" data-capas="save-hand-in" onclick={on_save}>{ texts.save_file }</button>
            </div>
            <p role="status">{ *told }</p>
        </details>
    }
}
