//! What students handed in, done again: the teacher's view. A command of it can be shown as it was.

use std::rc::Rc;

use yew::platform::spawn_local;
use yew::prelude::*;

use crate::lesson::exercise::Exercise;
use crate::lesson::grade::{Grade, Grader, Grading, Revisit, Taken, Verdict};
use crate::lesson::say::Say;
use crate::lesson::submission::Submission;
use crate::ui::dom;
use crate::ui::lesson::slices::{Slot, in_slices};
use crate::ui::lesson::{store, style};
use crate::ui::session::Session;
use crate::ui::stage::View;
use crate::view::texts::{Language, fill};

/// Work of one step of a replay, after which the clock is looked at.
const STEP_FUEL: u64 = 4000;

/// A text that was opened, and what it is.
#[derive(Clone)]
pub struct Handed {
    /// Tells it from the others.
    pub number: usize,
    /// The file's name; empty for a link.
    source: AttrValue,
    read: Result<Rc<Submission>, Say>,
}

impl PartialEq for Handed {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Handed {
    /// Reads a link, or a file of this name; `None` is one that is too large to be read.
    pub fn of(number: usize, source: String, text: Option<&str>) -> Self {
        let read = text.map_or_else(|| Err(Submission::too_large()), Submission::parse);
        Self { number, source: source.into(), read: read.map(Rc::new) }
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
    /// It is to go off the screen.
    pub on_forget: Callback<usize>,
}

/// How far the replay is.
#[derive(Clone, PartialEq)]
enum Stand {
    /// In percent.
    Replaying(usize),
    /// There is no such lesson.
    Unknown,
    /// Goals of the lesson, and the grade.
    Graded(usize, Rc<Grade>),
}

/// One submission.
#[function_component]
pub fn HandedCard(props: &HandedProps) -> Html {
    let texts = props.language.lesson();
    let stand = use_state_eq(|| Stand::Replaying(0));
    // The command whose machine is shown.
    let shown = use_state_eq(|| None::<usize>);
    let work = use_mut_ref(|| None).clone();
    let revisit = use_mut_ref(|| None).clone();
    {
        let (stand, work, session, language) = (stand.clone(), work, props.session.clone(), props.language);
        use_effect_with(props.handed.clone(), move |handed| {
            let end = Rc::clone(&work);
            if let Ok(submission) = &handed.read {
                let submission = Rc::clone(submission);
                spawn_local(async move {
                    match exercise(language, &submission.lesson).await {
                        Some(exercise) => grade(&work, &session, exercise, &submission, stand),
                        None => stand.set(Stand::Unknown),
                    }
                });
            }
            move || *end.borrow_mut() = None
        });
    }
    let forget = {
        let (on_forget, number) = (props.on_forget.clone(), props.handed.number);
        let onclick = Callback::from(move |_: MouseEvent| on_forget.emit(number));
        html! {
            <button type="button" class={style::close} aria-label={texts.handed_forget} title={texts.handed_forget} {onclick}>
                { "×" }
            </button>
        }
    };
    let submission = match &props.handed.read {
        Err(say) => {
            let reason = say.in_language(props.language);
            let told = fill(texts.handed_unreadable, &[&reason]);
            return html! {
                <article class={style::handed} data-capas="handed" data-verdict="unreadable">
                    <div class={style::handed_head}><h3>{ source(&props.handed, props.language) }</h3>{ forget }</div>
                    <p role="alert"><span class={classes!(style::verdict, style::extra)}>{ told }</span></p>
                </article>
            };
        }
        Ok(submission) => submission,
    };
    let show = |at: usize, taken: &Taken| {
        let (session, submission, taken) = (props.session.clone(), Rc::clone(submission), taken.clone());
        let (slot, shown): (Slot, _) = (Rc::clone(&revisit), shown.clone());
        Callback::from(move |_: MouseEvent| {
            let catalogue = session.look(|machine| machine.catalogue().clone());
            let (session, shown) = (session.clone(), shown.clone());
            let then = move |revisit: Revisit| {
                let mut machine = revisit.finish();
                let tty = machine.console();
                let printed = machine.take_output(tty);
                session.adopt_with(machine, Some(&printed));
                // On phones the computer is out of sight.
                if dom::matches_media("(max-width: 639px)") {
                    session.show(View::Layers);
                }
                shown.set(Some(at));
            };
            let revisit = Revisit::new(&submission, &taken, &catalogue);
            in_slices(&slot, revisit, |revisit| revisit.step(STEP_FUEL), |_| {}, then);
        })
    };
    let (verdict, body) = match &*stand {
        Stand::Replaying(percent) => {
            let told = fill(texts.handed_replaying, &[&percent.to_string()]);
            ("", html! { <p role="status">{ told }</p> })
        }
        Stand::Unknown => ("unknown", html! { <p role="alert">{ texts.handed_unknown }</p> }),
        Stand::Graded(goals, grade) => {
            let (name, verdict, class) = match &grade.verdict {
                Verdict::Solved => ("solved", texts.handed_solved.to_owned(), style::there),
                Verdict::Unsolved => ("unsolved", texts.handed_unsolved.to_owned(), style::other),
                Verdict::Tampered(say) => {
                    ("tampered", fill(texts.handed_tampered, &[&say.in_language(props.language)]), style::extra)
                }
                Verdict::Endless => ("endless", texts.handed_endless.to_owned(), style::extra),
            };
            let step = |(at, taken): (usize, &Taken)| {
                let is_shown = *shown == Some(at);
                html! {
                    <li key={at}>
                        <button type="button" class={style::taken} title={texts.handed_show} aria-pressed={is_shown.to_string()}
                            onclick={show(at, taken)}>
                            <code>{ if taken.is_inside { "» " } else { "" } }{ &taken.text }</code>
                            <small>{ format!("{} · {}/{goals}", clock(taken.at.as_secs()), taken.met) }</small>
                        </button>
                    </li>
                }
            };
            let is_refused = matches!(grade.verdict, Verdict::Tampered(_));
            let facts =
                [texts.commands.of(grade.commands as usize), clock(grade.time.as_secs()), submission.hints.to_string()];
            let facts = facts.each_ref().map(String::as_str);
            let body = html! {
                <>
                    <p role={if is_refused { "alert" } else { "status" }}>
                        <span class={classes!(style::verdict, class)}>{ verdict }</span>
                    </p>
                    if !is_refused {
                        <p>
                            { fill(texts.handed_facts, &facts) }
                            if submission.saw_solution { { " · " }{ texts.handed_saw_solution } }
                        </p>
                        <details class={style::steps}>
                            <summary>{ texts.handed_steps }</summary>
                            <p>{ texts.handed_show }</p>
                            <ol>{ for grade.steps.iter().enumerate().map(step) }</ol>
                        </details>
                    }
                </>
            };
            (name, body)
        }
    };
    html! {
        <article class={style::handed} data-capas="handed" data-verdict={verdict}>
            <div class={style::handed_head}><h3>{ source(&props.handed, props.language) }</h3>{ forget }</div>
            <p><code>{ &submission.lesson }</code></p>
            { body }
        </article>
    }
}

/// Whose it is, or the file's name where nobody's name stands in it.
fn source(handed: &Handed, language: Language) -> String {
    let texts = language.lesson();
    let name = handed.read.as_ref().map_or("", |submission| submission.name.trim());
    match (name, handed.source.as_str()) {
        ("", "") => texts.handed_link.to_owned(),
        ("", file) => file.to_owned(),
        (name, _) => fill(texts.handed, &[name]),
    }
}

/// Minutes and seconds.
fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// The exercise that a submission names. Its id comes from others: it may name no other place.
async fn exercise(language: Language, id: &str) -> Option<Exercise> {
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let text = if is_id { store::fetch(language, id).await } else { None };
    Exercise::parse(&text?).ok()
}

fn grade(
    work: &Slot,
    session: &Session,
    exercise: Exercise,
    submission: &Rc<Submission>,
    stand: UseStateHandle<Stand>,
) {
    let goals = exercise.goals.len();
    let grader = Grader::new(Rc::new(exercise), session.look(|machine| machine.catalogue().clone()));
    let (slot, submission) = (Rc::clone(work), Rc::clone(submission));
    let setup = grader.rehearse(&submission);
    let begin = move |(mut grader, setup): (Grader, _)| {
        grader.learn(setup);
        match grader.begin(&submission) {
            Err(why) => stand.set(Stand::Graded(goals, Rc::new(Grade::tampered(why)))),
            Ok(grading) => {
                let progress = stand.clone();
                let show = move |grading: &Grading| {
                    let (done, all) = grading.progress();
                    progress.set(Stand::Replaying((done * 100).checked_div(all).unwrap_or(0)));
                };
                let end = move |grading: Grading| stand.set(Stand::Graded(goals, Rc::new(grading.finish())));
                in_slices(&slot, grading, |grading| grading.step(STEP_FUEL), show, end);
            }
        }
    };
    in_slices(work, (grader, setup), |(_, setup)| setup.step(), |_| {}, begin);
}
