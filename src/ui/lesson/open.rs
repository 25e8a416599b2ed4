//! An open exercise: prose, goals that tick, questions, hints, solution, the goal's picture.

use std::cell::RefCell;
use std::rc::Rc;

use gloo::timers::callback::Timeout;
use yew::prelude::*;

use crate::lesson::Miss;
use crate::lesson::exercise::{Exercise, Par, Step};
use crate::lesson::run::Rehearsal;
use crate::lesson::scene::Scene;
use crate::machine::Machine;
use crate::ui::keep;
use crate::ui::lesson::hand_in::HandIn;
use crate::ui::lesson::questions::{Asking, QuestionCard, QuestionRef};
use crate::ui::lesson::slices::{Slot, in_slices};
use crate::ui::lesson::{goal, prose, store, style};
use crate::ui::session::{Session, Solved, Topic};
use crate::view::lesson::Comparison;
use crate::view::picture::{Arrivals, Picture, Stock};
use crate::view::progress::Done;
use crate::view::texts::{Language, fill};

/// The terminal in which lessons type.
const CONSOLE: usize = 0;
/// Between a change of the machine and a look at the goals.
const LOOK_MS: u32 = 80;
/// Every lesson begins with the same machine, so that what is handed in can be checked.
const SEED: u64 = 1;

/// An exercise that is compared by identity.
#[derive(Clone)]
pub struct Shown(pub Rc<Exercise>);

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// What an open exercise needs.
#[derive(Properties, PartialEq)]
pub struct OpenProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
    /// The exercise.
    pub exercise: Shown,
    /// Where it is found again after a reload.
    pub id: Option<AttrValue>,
    /// The next one: id and title.
    pub next: Option<(String, String)>,
    /// Opens another.
    pub on_open: Callback<String>,
}

/// What is known of the attempt.
#[derive(Clone, Default)]
struct Attempt {
    /// The start state is there.
    is_ready: bool,
    /// Command lines of the setup.
    entered: usize,
    verdicts: Rc<Vec<Result<(), Miss>>>,
    commands: u64,
    /// The value of the measure to be beaten.
    today: Option<u64>,
    busy: bool,
    asking: Vec<Asking>,
    hints: usize,
    sees_solution: bool,
    typed: usize,
    goal: Option<Rc<Picture>>,
    own: Rc<Picture>,
    is_solved: bool,
}

/// What is at work behind the pane; dropping it ends it.
#[derive(Default)]
struct Work {
    preparing: Slot,
    looking: Option<Timeout>,
}

type Shared<T> = Rc<RefCell<T>>;

/// Goes on with the start state, unless the session that a reload brings back began with it.
fn take_over(session: &Session, machine: Machine, id: Option<AttrValue>) {
    match keep::takes_up_lesson(id.as_deref()) {
        None => {
            let session = session.clone();
            Timeout::new(LOOK_MS, move || take_over(&session, machine, id)).forget();
        }
        Some(true) => session.await_lesson(false),
        Some(false) => {
            session.adopt(machine);
            keep::note_lesson(id.as_deref());
        }
    }
}

/// An open exercise.
#[function_component]
pub fn Open(props: &OpenProps) -> Html {
    let texts = props.language.lesson();
    let exercise = Rc::clone(&props.exercise.0);
    let attempt = use_mut_ref(Attempt::default);
    let work = use_mut_ref(Work::default);
    let redraw = use_force_update();
    let round = use_state_eq(|| 0u32);

    // The start state, and after it the goal's.
    {
        let (attempt, work, redraw) = (attempt.clone(), work.clone(), redraw.clone());
        let (session, exercise, id) = (props.session.clone(), Rc::clone(&exercise), props.id.clone());
        use_effect_with((exercise.id.clone(), *round), move |_| {
            *attempt.borrow_mut() =
                Attempt { asking: vec![Asking::default(); exercise.questions.len()], ..Attempt::default() };
            let catalogue = session.look(|machine| machine.catalogue().clone());
            let setup = Rehearsal::setup(&exercise, SEED, &catalogue);
            let (slot, then_slot) = (Rc::clone(&work.borrow().preparing), Rc::clone(&work.borrow().preparing));
            let begin = move |rehearsal: Rehearsal| {
                let start = rehearsal.finish();
                {
                    let mut attempt = attempt.borrow_mut();
                    (attempt.is_ready, attempt.entered) = (true, start.entered);
                }
                take_over(&session, start.machine, id);
                redraw.force_update();
                let whole = Rehearsal::whole(&exercise, SEED, &catalogue);
                let then = move |rehearsal: Rehearsal| {
                    let machine = rehearsal.finish().machine;
                    let picture = Picture::of(&Stock::of(&machine.daemon().snapshot()), &mut Arrivals::default());
                    attempt.borrow_mut().goal = Some(Rc::new(picture));
                    redraw.force_update();
                };
                in_slices(&then_slot, whole, Rehearsal::step, |_| {}, then);
            };
            in_slices(&slot, setup, Rehearsal::step, |_| {}, begin);
            move || *slot.borrow_mut() = None
        });
    }

    // Whatever changes on the machine, goals and questions are looked at again.
    {
        let (attempt, work, redraw) = (attempt.clone(), work.clone(), redraw.clone());
        use_effect_with((props.session.clone(), props.exercise.clone()), move |(session, shown)| {
            let look = {
                let (session, exercise) = (session.clone(), Rc::clone(&shown.0));
                let work = Rc::clone(&work);
                Callback::from(move |()| {
                    let (session, exercise) = (session.clone(), Rc::clone(&exercise));
                    let (attempt, redraw, again) = (Rc::clone(&attempt), redraw.clone(), Rc::clone(&work));
                    // A burst of changes is looked at once.
                    if work.borrow().looking.is_some() {
                        return;
                    }
                    work.borrow_mut().looking = Some(Timeout::new(LOOK_MS, move || {
                        again.borrow_mut().looking = None;
                        if attempt.borrow_mut().look(&session, &exercise) {
                            redraw.force_update();
                        }
                    }));
                })
            };
            let listening = [Topic::World, Topic::Screen(CONSOLE)].map(|topic| session.listen(topic, look.clone()));
            look.emit(());
            move || {
                drop(listening);
                work.borrow_mut().looking = None;
            }
        });
    }

    let change = |how: fn(&mut Attempt)| {
        let (attempt, redraw) = (attempt.clone(), redraw.clone());
        Callback::from(move |_: MouseEvent| {
            how(&mut attempt.borrow_mut());
            redraw.force_update();
        })
    };
    let now = attempt.borrow().clone();
    let goals = exercise.goals.iter().enumerate().map(|(at, goal)| {
        let verdict = now.verdicts.get(at);
        let is_met = matches!(verdict, Some(Ok(())));
        let near = match verdict {
            Some(Err(miss)) if miss.near => Some(miss.say.in_language(props.language)),
            _ => None,
        };
        html! {
            <li class={classes!(style::goal, is_met.then_some(style::met))} data-goal={at.to_string()}
                data-met={is_met.to_string()}>
                <span class={classes!(style::tick, is_met.then_some(style::ticked))} aria-hidden="true">
                    { if is_met { "✓" } else { "" } }
                </span>
                <span>
                    { prose::line(&goal.tell(props.language)) }
                    <span class={style::hidden}>{ ": " }{ if is_met { texts.met } else { texts.not_met } }</span>
                    if let Some(near) = near {
                        <span class={style::near} data-capas="near">{ prose::line(&near) }</span>
                    }
                </span>
            </li>
        }
    });
    let on_choice = {
        let (attempt, redraw) = (attempt.clone(), redraw.clone());
        Callback::from(move |(at, choice): (usize, String)| {
            if let Some(asking) = attempt.borrow_mut().asking.get_mut(at) {
                asking.choice = Some(choice).filter(|choice| !choice.trim().is_empty());
            }
            redraw.force_update();
        })
    };
    let on_run = {
        let (session, exercise) = (props.session.clone(), Rc::clone(&exercise));
        Callback::from(move |at: usize| {
            if let Some(question) = exercise.questions.get(at) {
                session.type_lines(CONSOLE, &question.command);
            }
        })
    };
    let questions = exercise.questions.iter().zip(&now.asking).enumerate();
    let questions = questions.filter(|(_, (_, asking))| asking.answer.is_some() || !now.is_solved);
    let questions = questions.map(|(at, (question, asking))| {
        html! {
            <QuestionCard key={at} {at} question={QuestionRef(Rc::new(question.clone()))} asking={asking.clone()}
                language={props.language} busy={now.busy || !now.is_ready} on_choice={on_choice.clone()} on_run={on_run.clone()} />
        }
    });
    let restart = {
        let round = round.clone();
        Callback::from(move |_: MouseEvent| round.set(*round + 1))
    };
    let status = if now.is_solved { texts.solved } else { "" };
    html! {
        <article data-capas="exercise" data-ready={now.is_ready.to_string()} data-solved={now.is_solved.to_string()}>
            <h2>{ &exercise.title }</h2>
            <div class={style::prose}>{ prose::prose(&exercise.prose) }</div>
            { for questions }
            <section class={style::goals} aria-label={texts.goals}>
                <h3>{ texts.goals }</h3>
                <ul>{ for goals }</ul>
                if !now.is_ready { <p class={style::note} role="status">{ texts.preparing }</p> }
                { par(&exercise, &now, props.language) }
            </section>
            <p class={style::hidden} role="status">{ status }</p>
            if now.is_solved {
                { solved(props, &exercise, &now) }
            }
            { help(props, &exercise, &now, change(|attempt| attempt.hints += 1), change(|attempt| attempt.sees_solution = true), &attempt, &redraw) }
            if let Some(wanted) = &now.goal {
                <details class={style::compare}>
                    <summary>{ texts.picture }</summary>
                    { goal::goal(&Comparison::of(&now.own, wanted), props.language) }
                </details>
            }
            // A teacher wants to see where somebody is stuck, too.
            if !now.is_solved && now.commands > 0 { { hand_in(props, &exercise, &now) } }
            <button type="button" class={style::quiet} onclick={restart}>{ texts.restart }</button>
        </article>
    }
}

/// What is to be beaten, and where the student is.
fn par(exercise: &Exercise, now: &Attempt, language: Language) -> Html {
    let texts = language.lesson();
    let commands = texts.commands.of(now.commands as usize);
    let told = match exercise.par.as_ref().map(|par| (par, par.tell(par.at_most()).in_language(language))) {
        None => commands,
        Some((Par::Commands(_), mark)) => fill(texts.par_commands, &[&commands, &mark]),
        Some((par, mark)) => match now.today {
            Some(today) => {
                let (subject, today) = (par.subject().in_language(language), par.tell(today).in_language(language));
                fill(texts.par, &[&subject, &today, &mark])
            }
            None => fill(texts.par_only, &[&mark]),
        },
    };
    html! { <p class={style::par} data-capas="par">{ prose::line(&told) }</p> }
}

/// After all goals are met.
fn solved(props: &OpenProps, exercise: &Exercise, now: &Attempt) -> Html {
    let texts = props.language.lesson();
    let mark = exercise.par.as_ref().zip(now.today).map(|(par, today)| {
        if par.is_reached_by(today) {
            texts.reached.to_owned()
        } else {
            fill(texts.not_reached, &[&par.tell(par.at_most()).in_language(props.language)])
        }
    });
    let next = props.next.as_ref().map(|(id, title)| {
        let (on_open, id) = (props.on_open.clone(), id.clone());
        let onclick = Callback::from(move |_: MouseEvent| on_open.emit(id.clone()));
        html! { <button type="button" class={style::primary} data-capas="next-lesson" {onclick}>{ fill(texts.next, &[title]) }</button> }
    });
    html! {
        <div class={style::solved} data-capas="solved">
            <p><b>{ texts.solved }</b>{ " " }{ mark }</p>
            { next.unwrap_or_else(|| html! { <p>{ texts.finished }</p> }) }
            { hand_in(props, exercise, now) }
        </div>
    }
}

/// Handing in what was done so far.
fn hand_in(props: &OpenProps, exercise: &Exercise, now: &Attempt) -> Html {
    html! {
        <HandIn session={props.session.clone()} language={props.language} lesson={exercise.id.clone()}
            is_solved={now.is_solved} hints={now.hints.min(exercise.hints.len()) as u64} saw_solution={now.sees_solution} />
    }
}

/// Hints, each after the one before, and the solution.
fn help(
    props: &OpenProps,
    exercise: &Rc<Exercise>,
    now: &Attempt,
    on_hint: Callback<MouseEvent>,
    on_solution: Callback<MouseEvent>,
    attempt: &Shared<Attempt>,
    redraw: &UseForceUpdateHandle,
) -> Html {
    let texts = props.language.lesson();
    let (shown, all) = (now.hints.min(exercise.hints.len()), exercise.hints.len());
    let on_type = {
        let (session, exercise) = (props.session.clone(), Rc::clone(exercise));
        let (attempt, redraw) = (Rc::clone(attempt), redraw.clone());
        Callback::from(move |_: MouseEvent| {
            let at = attempt.borrow().typed;
            match exercise.solution.get(at) {
                Some(Step::Command(text) | Step::Type(text)) => session.type_lines(CONSOLE, text),
                Some(Step::File { path, content }) => {
                    session.put_file(&crate::lesson::scene::absolute(path), content.as_bytes()).unwrap_or_default();
                }
                Some(Step::Wait(_)) | None => {}
            }
            attempt.borrow_mut().typed = at + 1;
            redraw.force_update();
        })
    };
    let step = |(at, step): (usize, &Step)| {
        let text = match step {
            Step::Command(text) | Step::Type(text) => html! { <code>{ text }</code> },
            Step::Wait(time) => html! { <i>{ fill(texts.wait, &[&time.as_secs().to_string()]) }</i> },
            Step::File { path, .. } => html! { <i>{ fill(texts.put, &[path]) }</i> },
        };
        html! { <li class={classes!((at < now.typed).then_some(style::typed))}>{ text }</li> }
    };
    html! {
        <section class={style::help} aria-label={texts.hints}>
            if shown > 0 {
                <ol class={style::hints} data-capas="hints">
                    { for exercise.hints.iter().take(shown).map(|hint| html! { <li>{ prose::line(hint) }</li> }) }
                </ol>
            }
            if now.sees_solution {
                <div class={style::solution} data-capas="solution">
                    <h3>{ texts.solution }</h3>
                    <ol>{ for exercise.solution.iter().enumerate().map(step) }</ol>
                    if now.typed < exercise.solution.len() {
                        <button type="button" class={style::primary} disabled={now.busy || !now.is_ready} onclick={on_type}>{ texts.type_next }</button>
                    } else {
                        <p>{ texts.all_typed }</p>
                    }
                </div>
            }
            <div class={style::offers}>
                if shown < all {
                    <button type="button" data-capas="hint" onclick={on_hint}>
                        { fill(texts.hint, &[&(shown + 1).to_string(), &all.to_string()]) }
                    </button>
                }
                if !now.sees_solution {
                    <button type="button" data-capas="show-solution" onclick={on_solution}>{ texts.show_solution }</button>
                }
            </div>
        </section>
    }
}

impl Attempt {
    /// Looks at the machine; whether anything is to be drawn anew.
    fn look(&mut self, session: &Session, exercise: &Exercise) -> bool {
        if !self.is_ready || session.is_settling() {
            return false;
        }
        let busy = session.console_state(CONSOLE).is_none_or(|state| state.busy);
        let before =
            (self.verdicts.clone(), self.commands, self.today, self.busy, self.asking.clone(), self.own.clone());
        self.busy = busy;
        self.own = session.picture();
        session.look(|machine| {
            let scene = Scene::new(machine);
            self.verdicts = Rc::new(exercise.judge(&scene));
            let entered: Vec<String> = machine.entered().into_iter().skip(self.entered).map(|line| line.text).collect();
            self.commands = entered.len() as u64;
            self.today = exercise.par.as_ref().and_then(|par| par.today(self.commands, &scene));
            for (question, asking) in exercise.questions.iter().zip(&mut self.asking) {
                let has_run = entered.contains(&question.command);
                if !has_run {
                    // The last look before the command.
                    asking.before = question.before(&scene);
                } else if !busy && asking.answer.is_none() {
                    asking.answer = question.answer(asking.before.as_ref(), &scene);
                }
            }
        });
        let is_solved = self.verdicts.iter().all(Result::is_ok);
        if is_solved && !self.is_solved {
            let done = Done {
                commands: self.commands,
                hints: self.hints.min(exercise.hints.len()) as u64,
                saw_solution: self.sees_solution,
            };
            session.note_solved(Solved {
                lesson: exercise.id.clone(),
                commands: done.commands,
                hints: done.hints,
                saw_solution: done.saw_solution,
            });
            store::note(&exercise.id, done);
        }
        // Solved is solved: what is done afterwards takes nothing away.
        self.is_solved |= is_solved;
        before != (self.verdicts.clone(), self.commands, self.today, self.busy, self.asking.clone(), self.own.clone())
    }
}
