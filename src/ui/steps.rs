//! Commands to try, which type themselves. They go through the prompt like any other.

use std::rc::Rc;

use yew::prelude::*;

use crate::ui::session::{Session, Topic, use_topic};
use crate::view::steps::{Step, next_steps};
use crate::view::texts::{Language, fill};

stylance::import_crate_style!(style, "src/ui/steps.module.css");

/// What the steps depend on.
#[derive(Properties, PartialEq)]
pub struct StepsProps {
    /// The machine.
    pub session: Session,
    /// The language of the reasons.
    pub language: Language,
    /// The terminal into which they type.
    pub console: usize,
    /// Whether the student has not typed anything yet: then the steps introduce themselves.
    pub fresh: bool,
    /// Whether a program runs: nothing can be typed then.
    pub busy: bool,
    /// A step was taken.
    pub on_typed: Callback<()>,
}

/// The steps: cards on the first visit, then a row.
#[function_component]
pub fn Steps(props: &StepsProps) -> Html {
    use_topic(&props.session, Topic::World);
    let texts = props.language.texts();
    let steps: Rc<Vec<Step>> =
        Rc::new(next_steps(&props.session.picture(), &props.session.tried(), if props.fresh { 4 } else { 3 }));
    let button = |step: &Step| {
        let (session, console, command) = (props.session.clone(), props.console, step.command);
        let on_typed = props.on_typed.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            session.type_command(console, command);
            on_typed.emit(());
        });
        html! {
            <li key={command}>
                <button type="button" class={style::step} disabled={props.busy} {onclick}
                    title={fill(texts.type_command, &[command])}>
                    <code>{ command }</code>
                    <span class={style::why}>{ texts.why(step.why) }</span>
                </button>
            </li>
        }
    };
    if props.fresh {
        html! {
            <section class={style::start} data-capas="steps" aria-labelledby="start">
                <h2 id="start">{ texts.start_title }</h2>
                <p class={style::intro}>{ texts.purpose }</p>
                <p>{ texts.start_text }</p>
                <ul>{ for steps.iter().map(button) }</ul>
            </section>
        }
    } else {
        html! {
            <section class={style::next} data-capas="steps" aria-labelledby="next">
                <h2 id="next">{ texts.next_title }</h2>
                <ul>{ for steps.iter().map(button) }</ul>
            </section>
        }
    }
}
