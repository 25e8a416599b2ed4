//! The recorder: what the author does in the terminal becomes an exercise, to be proved, saved, tried and given words.

use std::rc::Rc;

use web_sys::{HtmlInputElement, HtmlTextAreaElement};
use yew::prelude::*;

use crate::lesson::exercise::{Exercise, Flaw};
use crate::lesson::prove;
use crate::lesson::record::{self, Recording};
use crate::machine::{Config, Machine};
use crate::ui::lesson::slices::{Slot, in_slices};
use crate::ui::lesson::{flaws, store, style};
use crate::ui::session::{Session, Topic};
use crate::view::texts::{Language, fill};

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
    /// All that was done on the machine is the setup.
    Setup(Mark),
    Solution(Mark, Rc<Recording>),
    /// The file, as the author has it now.
    Done(Rc<str>),
    Lost,
}

/// Which machine is recorded.
#[derive(Clone, Copy, PartialEq)]
struct Mark {
    adopted: u32,
}

/// What is known of the file.
#[derive(Clone, PartialEq)]
enum Proof {
    None,
    Running,
    Flaws(Rc<Vec<Flaw>>),
}

/// The recorder.
#[function_component]
pub fn Recorder(props: &RecorderProps) -> Html {
    let texts = props.language.lesson();
    let state = use_state(|| State::Idle);
    let title = use_state(String::new);
    let proof = use_state_eq(|| Proof::None);
    let proving = use_memo((), |()| Slot::default());
    // Drawn anew when a command was taken, a file was put, or the machine is another one.
    let seen = use_state_eq(|| (0, 0));
    {
        let seen = seen.setter();
        use_effect_with(props.session.clone(), move |session| {
            let look = {
                let session = session.clone();
                Callback::from(move |()| seen.set((session.look(Machine::entered_count), session.adopted())))
            };
            let listening = [Topic::Journal, Topic::Consoles, Topic::World, Topic::Files]
                .map(|topic| session.listen(topic, look.clone()));
            look.emit(());
            move || drop(listening)
        });
    }
    let adopted = props.session.adopted();
    let is_lost = match &*state {
        State::Setup(mark) => mark.adopted != adopted,
        State::Solution(mark, recording) => {
            mark.adopted != adopted || !props.session.look(|machine| recording.fits(machine))
        }
        _ => false,
    };
    let current = if is_lost { State::Lost } else { (*state).clone() };
    let to = |next: Box<dyn Fn(&Session) -> State>| {
        let (session, state) = (props.session.clone(), state.clone());
        Callback::from(move |_: MouseEvent| state.set(next(&session)))
    };
    let on_prove = {
        let (session, proof, proving) = (props.session.clone(), proof.clone(), proving);
        Callback::from(move |text: Rc<str>| {
            proof.set(Proof::Running);
            let told = proof.clone();
            let tell = move |flaws: Vec<Flaw>| told.set(Proof::Flaws(Rc::new(flaws)));
            match Exercise::parse(&text) {
                Ok(exercise) => {
                    let catalogue = session.look(|machine| machine.catalogue().clone());
                    let work = prove::Proof::new(Rc::new(exercise), &catalogue);
                    in_slices(&proving, work, prove::Proof::step, |_| {}, move |work| tell(work.finish()));
                }
                Err(flaws) => tell(flaws),
            }
        })
    };
    let cancel = html! {
        <button type="button" data-capas="record-cancel" onclick={to(Box::new(|_| State::Idle))}>{ texts.record_cancel }</button>
    };
    let list = |lines: Vec<String>| {
        if lines.is_empty() {
            return html! { <p class={style::recorded}><i>{ texts.record_nothing }</i></p> };
        }
        html! {
            <ol class={style::recorded} data-capas="recorded">
                { for lines.iter().map(|line| html! { <li><code>{ line }</code></li> }) }
            </ol>
        }
    };
    let body = match current {
        State::Idle => {
            let begin = to(Box::new(|session| {
                let catalogue = session.look(|machine| machine.catalogue().clone());
                let config = Config { seed: session.seed(), ..Config::default() };
                session.adopt(Machine::with_catalogue(config, catalogue));
                State::Setup(Mark { adopted: session.adopted() })
            }));
            let go_on = to(Box::new(|session| State::Setup(Mark { adopted: session.adopted() })));
            let so_far = props.session.look(Machine::entered_count);
            html! {
                <>
                    <p>{ texts.record_why }</p>
                    <button type="button" data-capas="record" onclick={begin}>{ texts.record_begin }</button>
                    if so_far > 0 {
                        <p>{ fill(texts.record_so_far, &[&texts.commands.of(so_far)]) }</p>
                        <button type="button" data-capas="record-from" onclick={go_on}>{ texts.record_from }</button>
                    }
                </>
            }
        }
        State::Setup(mark) => {
            let start = to(Box::new(move |session| {
                State::Solution(mark, Rc::new(session.look(|machine| Recording::begin(machine, 0, 0))))
            }));
            html! {
                <>
                    <p role="status"><span class={style::recording} aria-hidden="true"></span>{ texts.record_setup }</p>
                    { list(props.session.look(|machine| record::setup(machine, 0, 0))) }
                    <button type="button" data-capas="record-start" onclick={start}>{ texts.record_start }</button>
                    { cancel }
                </>
            }
        }
        State::Solution(_, recording) => {
            let lines = props.session.look(|machine| recording.solution(machine));
            let (name, language) = ((*title).clone(), props.language);
            let end = {
                let (session, state, on_prove) = (props.session.clone(), state.clone(), on_prove.clone());
                Callback::from(move |_: MouseEvent| {
                    let text: Rc<str> = session.look(|machine| recording.finish(machine, &name, language)).into();
                    on_prove.emit(Rc::clone(&text));
                    state.set(State::Done(text));
                })
            };
            let oninput = {
                let title = title.clone();
                Callback::from(move |event: InputEvent| {
                    if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                        title.set(input.value());
                    }
                })
            };
            let is_empty = lines.is_empty();
            html! {
                <>
                    <p role="status"><span class={style::recording} aria-hidden="true"></span>{ texts.record_solution }</p>
                    { list(lines) }
                    <label class={style::stacked}>{ texts.record_title }<input type="text" value={(*title).clone()} {oninput} /></label>
                    <button type="button" data-capas="record-end" disabled={is_empty} onclick={end}>{ texts.record_end }</button>
                    { cancel }
                </>
            }
        }
        State::Done(text) => {
            let oninput = {
                let (state, proof) = (state.clone(), proof.clone());
                Callback::from(move |event: InputEvent| {
                    if let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>() {
                        proof.set(Proof::None);
                        state.set(State::Done(area.value().into()));
                    }
                })
            };
            let save = {
                let text = Rc::clone(&text);
                Callback::from(move |_: MouseEvent| {
                    let id = text.lines().find_map(|line| line.strip_prefix("id: ")).unwrap_or("ejercicio");
                    store::save(&format!("{}.md", id.trim()), &text);
                })
            };
            let attempt = {
                let (text, on_try) = (Rc::clone(&text), props.on_try.clone());
                Callback::from(move |_: MouseEvent| on_try.emit(text.to_string()))
            };
            let again = {
                let text = Rc::clone(&text);
                Callback::from(move |_: MouseEvent| on_prove.emit(Rc::clone(&text)))
            };
            let proved = match &*proof {
                Proof::None => html! {
                    <button type="button" data-capas="record-prove" onclick={again}>{ texts.record_prove }</button>
                },
                Proof::Running => html! { <p role="status">{ texts.record_proving }</p> },
                Proof::Flaws(found) if found.is_empty() => html! {
                    <p role="status" data-capas="record-holds">
                        <span class={classes!(style::verdict, style::there)}>{ texts.record_holds }</span>
                    </p>
                },
                Proof::Flaws(found) => html! {
                    <div role="alert" data-capas="record-flaws"><p>{ texts.record_fails }</p>{ flaws(found, props.language) }</div>
                },
            };
            html! {
                <>
                    { proved }
                    <label class={style::stacked}>{ texts.record_file }
                        <textarea rows="14" spellcheck="false" value={text.to_string()} {oninput} />
                    </label>
                    <button type="button" data-capas="record-save" onclick={save}>{ texts.save_file }</button>
                    <button type="button" data-capas="record-try" onclick={attempt}>{ texts.record_try }</button>
                    { cancel }
                </>
            }
        }
        State::Lost => html! { <><p role="alert">{ texts.record_lost }</p>{ cancel }</> },
    };
    html! {
        <details class={style::more} data-capas="recorder">
            <summary>{ texts.record }</summary>
            { body }
        </details>
    }
}
