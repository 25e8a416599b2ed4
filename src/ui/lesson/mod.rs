//! The pane of lessons, left of the terminal: the list, or one exercise. Commands that it offers go through the prompt.

mod goal;
mod hand_in;
mod handed;
mod list;
mod open;
mod prose;
mod questions;
mod recorder;
mod store;

use std::rc::Rc;

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

/// What is opened from a file of the student's own instead of the list.
const OWN: &str = ".own";

/// The pane.
#[function_component]
pub fn Lessons(props: &LessonsProps) -> Html {
    let texts = props.language.lesson();
    let index = use_state(Index::default);
    let load = use_state(|| Load::Coming);
    let own = use_mut_ref(|| None::<String>);
    // What a teacher opened: a link, then files.
    let handed = use_state(|| {
        let link = web_sys::window().and_then(|window| window.location().hash().ok());
        link.filter(|link| link.contains(LINK_KEY)).map(|link| Handed::of(&link)).into_iter().collect::<Vec<_>>()
    });
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
        let (load, own) = (load.clone(), own.clone());
        use_effect_with((props.language, props.lesson.clone()), move |(language, lesson)| {
            let (language, lesson) = (*language, lesson.clone());
            match lesson.as_str() {
                "" => {}
                OWN => load.set(Load::of(own.borrow().clone())),
                _ => spawn_local(async move { load.set(Load::of(store::fetch(language, &lesson).await)) }),
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
        let handed = handed.clone();
        Callback::from(move |text: String| {
            let mut all = (*handed).clone();
            all.push(Handed::of(&text));
            handed.set(all);
        })
    };
    let is_list = props.lesson.is_empty();
    let cards = handed.iter().enumerate().map(|(at, handed)| {
        html! { <HandedCard key={at} session={props.session.clone()} language={props.language} handed={handed.clone()} /> }
    });
    let body = match &*load {
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
                <ul>{ for flaws.iter().map(|flaw| {
                    let reason = flaw.reason.in_language(props.language);
                    let told = if flaw.line == 0 { reason } else { fill(texts.line, &[&flaw.line.to_string(), &reason]) };
                    html! { <li>{ prose::line(&told) }</li> }
                }) }</ul>
            </div>
        },
        Load::Here(exercise) => {
            let next = index.after(&exercise.id).map(|entry| (entry.id.clone(), entry.title.clone()));
            html! {
                <Open key={exercise.id.clone()} session={props.session.clone()} language={props.language}
                    exercise={open::Shown(Rc::clone(exercise))} {next} {on_open} />
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
                <div key={props.lesson.to_string()}>{ body }</div>
                // A recording goes on while a lesson is open.
                <div hidden={!is_list}>
                    <Recorder session={props.session.clone()} language={props.language} on_try={on_own} />
                </div>
            </div>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct MoreProps {
    language: Language,
    on_own: Callback<String>,
    on_handed: Callback<String>,
}

/// Files in and out: progress, and an exercise of one's own.
#[function_component]
fn More(props: &MoreProps) -> Html {
    let texts = props.language.lesson();
    let redraw = use_force_update();
    let file = |take: Callback<String>| {
        Callback::from(move |event: Event| {
            let (input, take) = (event.target_dyn_into::<HtmlInputElement>(), take.clone());
            let Some(input) = input else { return };
            spawn_local(async move {
                if let Some(text) = store::chosen(input).await {
                    take.emit(text);
                }
            });
        })
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
            <label>{ texts.open_handed }<input type="file" accept=".json" data-capas="open-handed" onchange={file(props.on_handed.clone())} /></label>
            <label>{ texts.open_file }<input type="file" accept=".md" onchange={file(props.on_own.clone())} /></label>
        </details>
    }
}
