//! What students handed in, done again: the teacher's view. A command of it can be shown as it was.

use std::rc::Rc;

use gloo::timers::callback::Timeout;
use yew::platform::spawn_local;
use yew::prelude::*;

use crate::lesson::exercise::Exercise;
use crate::lesson::grade::{Grade, Grader, Taken, Verdict, machine_after};
use crate::lesson::say::Say;
use crate::lesson::submission::Submission;
use crate::ui::lesson::{store, style};
use crate::ui::session::Session;
use crate::view::texts::{Language, fill};

/// A text that was opened, and what it is.
#[derive(Clone)]
pub struct Handed(pub Rc<Result<Submission, Say>>);

impl PartialEq for Handed {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Handed {
    /// Reads a link or a file.
    pub fn of(text: &str) -> Self {
        Self(Rc::new(Submission::parse(text)))
    }
}

/// What the view needs.
#[derive(Properties, PartialEq)]
pub struct HandedProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
    /// What was opened.
    pub handed: Handed,
}

/// One submission.
#[function_component]
pub fn HandedCard(props: &HandedProps) -> Html {
    let texts = props.language.lesson();
    let grade = use_state(|| None::<Result<(usize, Grade), ()>>);
    {
        let grade = grade.clone();
        use_effect_with((props.handed.clone(), props.language), move |(handed, language)| {
            let (handed, language) = (handed.clone(), *language);
            spawn_local(async move {
                let Ok(submission) = handed.0.as_ref() else { return };
                // An id comes from the submission: it may name no other place.
                let is_id = submission.lesson.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
                let text = if is_id { store::fetch(language, &submission.lesson).await } else { None };
                let Some(exercise) = text.and_then(|text| Exercise::parse(&text).ok()) else {
                    grade.set(Some(Err(())));
                    return;
                };
                // The page says first that it is at work.
                let handed = handed.clone();
                Timeout::new(30, move || {
                    if let Ok(submission) = handed.0.as_ref() {
                        let graded = Grader::new(&exercise).grade(submission);
                        grade.set(Some(Ok((exercise.goals.len(), graded))));
                    }
                })
                .forget();
            });
        });
    }
    let submission = match props.handed.0.as_ref() {
        Err(say) => {
            let reason = say.in_language(props.language);
            return html! { <p class={style::note} role="alert">{ fill(texts.handed_unreadable, &[&reason]) }</p> };
        }
        Ok(submission) => submission,
    };
    let show = |taken: &Taken| {
        let (session, handed, taken) = (props.session.clone(), props.handed.clone(), taken.clone());
        Callback::from(move |_: MouseEvent| {
            if let Ok(submission) = handed.0.as_ref()
                && let Some(mut machine) = machine_after(submission, &taken)
            {
                let tty = machine.console();
                drop(machine.take_output(tty));
                session.adopt(machine);
            }
        })
    };
    let body = match &*grade {
        None => html! { <p role="status">{ texts.handed_replaying }</p> },
        Some(Err(())) => html! { <p role="alert">{ texts.not_found }</p> },
        Some(Ok((goals, grade))) => {
            let (verdict, class) = match &grade.verdict {
                Verdict::Solved => (texts.handed_solved.to_owned(), style::there),
                Verdict::Unsolved => (texts.handed_unsolved.to_owned(), style::other),
                Verdict::Tampered(say) => {
                    (fill(texts.handed_tampered, &[&say.in_language(props.language)]), style::extra)
                }
                Verdict::Endless => (texts.handed_endless.to_owned(), style::extra),
            };
            let seconds = grade.time.as_secs();
            let time = format!("{}:{:02}", seconds / 60, seconds % 60);
            let commands = texts.commands.of(grade.commands as usize);
            let step = |taken: &Taken| {
                html! {
                    <li>
                        <button type="button" class={style::taken} title={texts.handed_show} onclick={show(taken)}>
                            <code>{ &taken.text }</code>
                            <small>{ format!("{}/{goals}", taken.met) }</small>
                        </button>
                    </li>
                }
            };
            html! {
                <>
                    <p role="status"><span class={classes!(style::verdict, class)}>{ verdict }</span></p>
                    <p>{ fill(texts.handed_facts, &[&commands, &time, &submission.hints.to_string()]) }</p>
                    <ol class={style::steps}>{ for grade.steps.iter().map(step) }</ol>
                </>
            }
        }
    };
    html! {
        <article class={style::handed} data-capas="handed" data-solved={
            matches!(&*grade, Some(Ok((_, Grade { verdict: Verdict::Solved, .. })))).to_string()
        }>
            <h3>{ fill(texts.handed, &[if submission.name.is_empty() { "—" } else { &submission.name }]) }</h3>
            <p><code>{ &submission.lesson }</code></p>
            { body }
        </article>
    }
}
