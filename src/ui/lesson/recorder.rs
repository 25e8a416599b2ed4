//! The recorder: what the author does in the terminal becomes an exercise, to be saved, tried and given words.

use web_sys::{HtmlInputElement, HtmlTextAreaElement};
use yew::prelude::*;

use crate::lesson::record::Recording;
use crate::ui::lesson::{store, style};
use crate::ui::session::Session;
use crate::view::texts::Language;

/// What the recorder needs.
#[derive(Properties, PartialEq)]
pub struct RecorderProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
    /// What was recorded is to be tried.
    pub on_try: Callback<String>,
}

/// How far a recording is.
#[derive(Clone)]
enum State {
    Idle,
    /// Commands and inputs before it began.
    Setup {
        entered: usize,
        inputs: usize,
    },
    Solution(Recording),
    Done(String),
}

/// The recorder.
#[function_component]
pub fn Recorder(props: &RecorderProps) -> Html {
    let texts = props.language.lesson();
    let state = use_state(|| State::Idle);
    let title = use_state(String::new);
    let to = |next: Box<dyn Fn(&Session) -> State>| {
        let (session, state) = (props.session.clone(), state.clone());
        Callback::from(move |_: MouseEvent| state.set(next(&session)))
    };
    let cancel = html! {
        <button type="button" onclick={to(Box::new(|_| State::Idle))}>{ texts.record_cancel }</button>
    };
    let body = match &*state {
        State::Idle => {
            let begin = to(Box::new(|session| {
                session.look(|machine| State::Setup {
                    entered: machine.entered_count(),
                    inputs: machine.journal().inputs.len(),
                })
            }));
            html! {
                <>
                    <p>{ texts.record_why }</p>
                    <button type="button" data-capas="record" onclick={begin}>{ texts.record_begin }</button>
                </>
            }
        }
        State::Setup { entered, inputs } => {
            let (entered, inputs) = (*entered, *inputs);
            let start = to(Box::new(move |session| {
                State::Solution(session.look(|machine| Recording::begin(machine, entered, inputs)))
            }));
            html! {
                <>
                    <p role="status"><span class={style::recording} aria-hidden="true"></span>{ texts.record_setup }</p>
                    <button type="button" data-capas="record-start" onclick={start}>{ texts.record_start }</button>
                    { cancel }
                </>
            }
        }
        State::Solution(recording) => {
            let (recording, name, language) = (recording.clone(), (*title).clone(), props.language);
            let end = to(Box::new(move |session| {
                State::Done(session.look(|machine| recording.finish(machine, &name, language)))
            }));
            let oninput = {
                let title = title.clone();
                Callback::from(move |event: InputEvent| {
                    if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                        title.set(input.value());
                    }
                })
            };
            html! {
                <>
                    <p role="status"><span class={style::recording} aria-hidden="true"></span>{ texts.record_solution }</p>
                    <label>{ texts.record_title }<input type="text" value={(*title).clone()} {oninput} /></label>
                    <button type="button" data-capas="record-end" onclick={end}>{ texts.record_end }</button>
                    { cancel }
                </>
            }
        }
        State::Done(text) => {
            let oninput = {
                let state = state.clone();
                Callback::from(move |event: InputEvent| {
                    if let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>() {
                        state.set(State::Done(area.value()));
                    }
                })
            };
            let save = {
                let text = text.clone();
                Callback::from(move |_: MouseEvent| {
                    let id = text.lines().find_map(|line| line.strip_prefix("id: ")).unwrap_or("ejercicio");
                    store::save(&format!("{}.md", id.trim()), &text);
                })
            };
            let attempt = {
                let (text, on_try) = (text.clone(), props.on_try.clone());
                Callback::from(move |_: MouseEvent| on_try.emit(text.clone()))
            };
            html! {
                <>
                    <label class={style::file}>{ texts.record_file }
                        <textarea rows="14" spellcheck="false" value={text.clone()} {oninput} />
                    </label>
                    <button type="button" onclick={save}>{ texts.save_file }</button>
                    <button type="button" onclick={attempt}>{ texts.record_try }</button>
                    { cancel }
                </>
            }
        }
    };
    html! {
        <details class={style::more} data-capas="recorder">
            <summary>{ texts.record }</summary>
            { body }
        </details>
    }
}
