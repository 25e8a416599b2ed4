//! The pane of lessons, left of the terminal: the list, or one exercise. Commands that it offers go through the prompt.

mod goal;
mod hand_in;
mod handed;
mod list;
mod open;
mod prose;
mod questions;
mod recorder;
mod slices;
mod store;

use std::rc::Rc;

use gloo::events::EventListener;
use web_sys::HtmlInputElement;
use yew::platform::spawn_local;
use yew::prelude::*;

use crate::lesson::exercise::{Exercise, Flaw};
use crate::lesson::index::Index;
use crate::lesson::submission::LINK_KEY;
use crate::ui::session::Session;
use crate::view::texts::{Language, fill};

use handed::{Handed, HandedCard};
use list::List;
use open::Open;
use recorder::Recorder;
use store::Chosen;

stylance::import_crate_style!(style, "src/ui/lesson/lesson.module.css");

/// What the pane shows.
#[derive(Properties, PartialEq)]
pub struct LessonsProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
    /// The lesson's id; empty for the list.
    pub lesson: AttrValue,
    /// Another lesson, the list, or nothing at all.
    pub on_open: Callback<Option<String>>,
}

/// A file on its way.
#[derive(Clone, Debug)]
enum Load {
    Coming,
    Lost,
    Flawed(Rc<Vec<Flaw>>),
    Here(Rc<Exercise>),
}

impl Load {
    fn of(text: Option<String>) -> Self {
        match text.map(|text| Exercise::parse(&text)) {
            None => Self::Lost,
            Some(Err(flaws)) => Self::Flawed(Rc::new(flaws)),
            Some(Ok(exercise)) => Self::Here(Rc::new(exercise)),
        }
    }
}

/// What is wrong with an exercise, with the lines.
fn flaws(flaws: &[Flaw], language: Language) -> Html {
    let told = |flaw: &Flaw| {
        let reason = flaw.reason.in_language(language);
        let line = flaw.line.to_string();
        let told = if flaw.line == 0 { reason } else { fill(language.lesson().line, &[&line, &reason]) };
        html! { <li>{ prose::line(&told) }</li> }
    };
    html! { <ul>{ for flaws.iter().map(told) }</ul> }
}

/// What is opened from a file of the student's own instead of the list.
const OWN: &str = ".own";

/// The pane.
#[function_component]
pub fn Lessons(props: &LessonsProps) -> Html {
    let texts = props.language.lesson();
    let index = use_state(Index::default);
    let load = use_state(|| Load::Coming);
    let own = use_mut_ref(|| None::<String>);
    // What a teacher opened: links, files.
    let handed = use_reducer(Opened::default);
    {
        let (handed, on_open) = (handed.dispatcher(), props.on_open.clone());
        use_effect_with((), move |()| {
            let look = move || {
                let link = web_sys::window().and_then(|window| window.location().hash().ok()).unwrap_or_default();
                if link.contains(LINK_KEY) {
                    handed.dispatch(Opening::Link(link));
                    return true;
                }
                false
            };
            look();
            // Another link in the same tab changes nothing else.
            let listening = web_sys::window().map(|window| {
                EventListener::new(&window, "hashchange", move |_| {
                    if look() {
                        on_open.emit(Some(String::new()));
                    }
                })
            });
            move || drop(listening)
        });
    }
    {
        let index = index.clone();
        use_effect_with(props.language, move |language| {
            let language = *language;
            spawn_local(async move {
                if let Some(text) = store::fetch(language, "README").await {
                    index.set(Index::parse(&text));
                }
            });
        });
    }
    {
        let (load, own, session) = (load.clone(), own.clone(), props.session.clone());
        use_effect_with((props.language, props.lesson.clone()), move |(language, lesson)| {
            let (language, lesson) = (*language, lesson.clone());
            match lesson.as_str() {
                "" => {}
                OWN => load.set(Load::of(own.borrow().clone())),
                _ => spawn_local(async move {
                    let loaded = Load::of(store::fetch(language, &lesson).await);
                    if !matches!(loaded, Load::Here(_)) {
                        session.await_lesson(false);
                    }
                    load.set(loaded);
                }),
            }
        });
    }
    let open = |id: &str| {
        let (on_open, load, id) = (props.on_open.clone(), load.clone(), id.to_owned());
        Callback::from(move |_: MouseEvent| {
            load.set(Load::Coming);
            on_open.emit(Some(id.clone()));
        })
    };
    let on_open = {
        let (on_open, load) = (props.on_open.clone(), load.clone());
        Callback::from(move |id: String| {
            load.set(Load::Coming);
            on_open.emit(Some(id));
        })
    };
    let on_close = props.on_open.reform(|_: MouseEvent| None);
    let on_own = {
        let (own, on_open, load) = (own, props.on_open.clone(), load.clone());
        Callback::from(move |text: String| {
            *own.borrow_mut() = Some(text.clone());
            load.set(Load::of(Some(text)));
            on_open.emit(Some(OWN.to_owned()));
        })
    };
    let on_handed = {
        let handed = handed.dispatcher();
        Callback::from(move |files: Vec<Chosen>| handed.dispatch(Opening::Files(files)))
    };
    let on_forget = {
        let handed = handed.dispatcher();
        Callback::from(move |number: usize| handed.dispatch(Opening::Forget(number)))
    };
    let is_list = props.lesson.is_empty();
    let cards = handed.all.iter().map(|handed| {
        html! {
            <HandedCard key={handed.number} session={props.session.clone()} language={props.language}
                handed={handed.clone()} on_forget={on_forget.clone()} />
        }
    });
    let shown = match &*load {
        _ if is_list => html! {
            <>
                { for cards }
                <List index={(*index).clone()} language={props.language} {on_open} />
                <More language={props.language} on_own={on_own.clone()} {on_handed} />
            </>
        },
        Load::Coming => html! { <p class={style::note} role="status">{ texts.loading }</p> },
        Load::Lost => html! { <p class={style::note} role="alert">{ texts.not_found }</p> },
        Load::Flawed(flaws) => html! {
            <div class={style::note} role="alert">
                <p>{ texts.flawed }</p>
                { self::flaws(flaws, props.language) }
            </div>
        },
        Load::Here(exercise) => {
            let next = index.after(&exercise.id).map(|entry| (entry.id.clone(), entry.title.clone()));
            html! {
                <Open key={exercise.id.clone()} session={props.session.clone()} language={props.language}
                    exercise={open::Shown(Rc::clone(exercise))} {next} {on_open}
                    id={Some(props.lesson.clone()).filter(|id| id != OWN)} />
            }
        }
    };
    html! {
        <section class={style::pane} id="lesson" tabindex="-1" data-capas="lesson" aria-label={texts.lessons}>
            <div class={style::bar}>
                if is_list {
                    <h2>{ texts.lessons }</h2>
                } else {
                    <button type="button" class={style::back} onclick={open("")}>
                        <span aria-hidden="true">{ "‹ " }</span>{ texts.all }
                    </button>
                }
                <button type="button" class={style::close} aria-label={texts.close} title={texts.close} onclick={on_close}>
                    { "×" }
                </button>
            </div>
            <div class={style::body} tabindex="0" role="group" aria-label={texts.lesson}>
                <div key={props.lesson.to_string()}>{ shown }</div>
                // A recording goes on while a lesson is open.
                <div hidden={!is_list}>
                    <Recorder session={props.session.clone()} language={props.language} on_try={on_own} />
                </div>
            </div>
        </section>
    }
}

/// What a teacher opened.
#[derive(Default)]
struct Opened {
    all: Vec<Handed>,
    count: usize,
}

enum Opening {
    Link(String),
    Files(Vec<Chosen>),
    Forget(usize),
}

impl Reducible for Opened {
    type Action = Opening;

    fn reduce(self: Rc<Self>, action: Opening) -> Rc<Self> {
        let (mut all, mut count) = (self.all.clone(), self.count);
        let mut add = |source: String, text: Option<&str>| {
            // The newest stands first.
            all.insert(0, Handed::of(count, source, text));
            count += 1;
        };
        match action {
            Opening::Link(link) => add(String::new(), Some(&link)),
            Opening::Files(files) => files.into_iter().for_each(|file| add(file.name, file.text.as_deref())),
            Opening::Forget(number) => all.retain(|handed| handed.number != number),
        }
        Rc::new(Self { all, count })
    }
}

#[derive(Properties, PartialEq)]
struct MoreProps {
    language: Language,
    on_own: Callback<String>,
    on_handed: Callback<Vec<Chosen>>,
}

/// Files in and out: progress, and an exercise of one's own.
#[function_component]
fn More(props: &MoreProps) -> Html {
    let texts = props.language.lesson();
    let redraw = use_force_update();
    let files = |take: Callback<Vec<Chosen>>| {
        Callback::from(move |event: Event| {
            let (input, take) = (event.target_dyn_into::<HtmlInputElement>(), take.clone());
            let Some(input) = input else { return };
            spawn_local(async move { take.emit(store::chosen(input).await) });
        })
    };
    // One file; what is too large for its purpose is taken as empty.
    let file = |take: Callback<String>| {
        let first = |files: Vec<Chosen>| files.into_iter().next().map(|file| file.text.unwrap_or_default());
        files(Callback::from(move |chosen| first(chosen).into_iter().for_each(|text| take.emit(text))))
    };
    let on_progress = Callback::from(move |text: String| {
        store::import(&text);
        redraw.force_update();
    });
    let on_export = Callback::from(|_: MouseEvent| store::save("capas-progress.json", &store::progress().to_text()));
    html! {
        <details class={style::more}>
            <summary>{ texts.more }</summary>
            <button type="button" onclick={on_export}>{ texts.export }</button>
            <label>{ texts.import }<input type="file" accept=".json" onchange={file(on_progress)} /></label>
            <label>{ texts.open_handed }
                <input type="file" accept=".json" multiple=true data-capas="open-handed" onchange={files(props.on_handed.clone())} />
            </label>
            <label>{ texts.open_file }<input type="file" accept=".md" onchange={file(props.on_own.clone())} /></label>
        </details>
    }
}
