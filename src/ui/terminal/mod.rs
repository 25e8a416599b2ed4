//! The pane of terminals: tabs, one or two screens in front, what can be done with them, and the steps to try below.

mod clipboard;
mod menu;
mod rows;
mod screen;
mod search;

use std::rc::Rc;

use yew::prelude::*;

use crate::ui::dom;
use crate::ui::session::{Listening, MAX_CONSOLES, Session, Topic, use_topic};
use crate::ui::steps::Steps;
use crate::view::texts::{Language, fill};

use menu::Menu;
use screen::Terminal;

stylance::import_crate_style!(style, "src/ui/terminal.module.css");

/// Sizes of letters and the heights of their rows, in pixels.
const SIZES: [(f64, u32); 7] = [(11.0, 16), (12.0, 18), (13.5, 20), (15.0, 22), (17.0, 25), (20.0, 29), (24.0, 34)];
/// The one in `SIZES` that is chosen first.
const FIRST_SIZE: usize = 2;
const KEPT_SIZE: &str = "capas.terminal.size";
const KEPT_READER: &str = "capas.terminal.reader";
/// Lines that the log for screen readers keeps.
const LOG_LINES: u32 = 400;

/// What the pane shows.
#[derive(Properties, PartialEq)]
pub struct TerminalPaneProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
}

/// Which terminals are in front, and which one of them has the keyboard.
#[derive(Clone, PartialEq)]
struct Front {
    shown: Vec<usize>,
    active: usize,
}

impl Front {
    /// The number of the terminal that has the keyboard.
    fn console(&self) -> usize {
        self.shown.get(self.active).copied().unwrap_or(0)
    }

    /// With a terminal in front, in place of the one that was active.
    fn with(&self, console: usize) -> Self {
        let mut next = self.clone();
        match next.shown.iter().position(|shown| *shown == console) {
            Some(at) => next.active = at,
            None => {
                if let Some(slot) = next.shown.get_mut(next.active) {
                    *slot = console;
                }
            }
        }
        next
    }
}

/// What the pane around a screen must know of it.
#[derive(Clone, PartialEq, Default)]
struct Facts {
    fresh: bool,
    busy: bool,
    place: Option<Rc<str>>,
    editing: Option<String>,
}

/// The facts of every terminal; drawn anew only when one changes, not with every letter.
#[hook]
fn use_facts(session: &Session) -> Rc<Vec<Facts>> {
    let consoles = session.consoles();
    let look = |session: &Session, consoles: usize| -> Rc<Vec<Facts>> {
        let facts = |at| {
            let state = session.console_state(at).unwrap_or_default();
            Facts { fresh: state.fresh, busy: state.busy, place: session.place(at), editing: session.editing(at) }
        };
        Rc::new((0..consoles).map(facts).collect())
    };
    let facts = use_state_eq(|| look(session, consoles));
    {
        let facts = facts.clone();
        use_effect_with((session.clone(), consoles), move |(session, consoles)| {
            let consoles = *consoles;
            facts.set(look(session, consoles));
            let listen = |topic| {
                let (own, facts) = (session.clone(), facts.clone());
                session.listen(topic, Callback::from(move |()| facts.set(look(&own, consoles))))
            };
            let listening: Vec<Listening> =
                (0..consoles).map(Topic::Screen).chain([Topic::World]).map(listen).collect();
            move || drop(listening)
        });
    }
    Rc::clone(&facts)
}

/// The pane.
#[function_component]
pub fn TerminalPane(props: &TerminalPaneProps) -> Html {
    let session = &props.session;
    let front = use_state_eq(|| Front { shown: vec![0], active: 0 });
    use_topic(session, Topic::Consoles);
    let texts = props.language.texts();
    let more = props.language.panes();
    let touched = use_state_eq(|| false);
    let size = use_state_eq(|| dom::kept(KEPT_SIZE).and_then(|kept| kept.parse().ok()).unwrap_or(FIRST_SIZE));
    let reader = use_state_eq(|| dom::kept(KEPT_READER).is_some_and(|kept| kept == "1"));
    let searching = use_state_eq(|| false);
    let keys = [use_node_ref(), use_node_ref()];
    let pane = use_node_ref();
    let consoles = session.consoles();
    let facts = use_facts(session);
    let at = front.console();
    let own = facts.get(at).cloned().unwrap_or_default();
    let (letters, row_px) = SIZES.get(*size).copied().unwrap_or((13.5, 20));
    {
        let pane = pane.clone();
        use_effect_with(*size, move |_| {
            if let Some(pane) = dom::html(&pane) {
                dom::set_style(&pane, "--t-size", &format!("{letters}px"));
                dom::set_style(&pane, "--t-row", &format!("{row_px}px"));
            }
        });
    }
    let focus = {
        let keys = keys.clone();
        Callback::from(move |slot: usize| {
            // On phones the keyboard would cover what is about to happen.
            if let (Some(keys), false) = (keys.get(slot).and_then(dom::html), dom::matches_media("(pointer: coarse)")) {
                dom::focus(&keys);
            }
        })
    };
    let on_typed = {
        let (focus, touched, active) = (focus.clone(), touched.clone(), front.active);
        Callback::from(move |()| {
            touched.set(true);
            focus.emit(active);
        })
    };
    let tab = |console: usize| {
        let (front, focus) = (front.clone(), focus.clone());
        let current = if front.console() == console { "true" } else { "false" };
        let place = facts.get(console).and_then(|facts| facts.place.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            let next = front.with(console);
            focus.emit(next.active);
            front.set(next);
        });
        let name = fill(texts.terminal_tab, &[&(console + 1).to_string()]);
        html! {
            <button type="button" class={style::tab} key={console} aria-pressed={current} {onclick}>
                { name }
                if let Some(place) = place {
                    <span class={style::inside}>{ fill(more.container, &[&place]) }</span>
                }
            </button>
        }
    };
    let open = {
        let (session, front) = (session.clone(), front.clone());
        Callback::from(move |_: MouseEvent| front.set(front.with(session.open_console())))
    };
    let on_split = {
        let (session, front) = (session.clone(), front.clone());
        Callback::from(move |()| {
            let first = front.console();
            if front.shown.len() > 1 {
                return front.set(Front { shown: vec![first], active: 0 });
            }
            let other = (0..session.consoles()).find(|at| *at != first).unwrap_or_else(|| session.open_console());
            front.set(Front { shown: vec![first, other], active: 1 });
        })
    };
    let on_size = {
        let size = size.clone();
        Callback::from(move |by: isize| {
            let next = size.saturating_add_signed(by).min(SIZES.len() - 1);
            dom::keep(KEPT_SIZE, &next.to_string());
            size.set(next);
        })
    };
    let on_reader = {
        let reader = reader.clone();
        Callback::from(move |()| {
            dom::keep(KEPT_READER, if *reader { "0" } else { "1" });
            reader.set(!*reader);
        })
    };
    let on_search = {
        let searching = searching.clone();
        Callback::from(move |on: bool| searching.set(on))
    };
    let to_editor = own.editing.clone().map(|path| {
        let (session, label) = (session.clone(), fill(more.in_editor, &[&path]));
        let onclick = Callback::from(move |_: MouseEvent| session.edit(&path));
        html! { <button type="button" class={style::to_editor} {onclick}>{ label }</button> }
    });
    let screen = |(slot, console): (usize, usize)| {
        let on_focus = {
            let front = front.clone();
            Callback::from(move |()| front.set(Front { active: slot, ..(*front).clone() }))
        };
        let place = facts.get(console).and_then(|facts| facts.place.clone());
        let label = fill(texts.terminal_tab, &[&(console + 1).to_string()]);
        html! {
            <div class={classes!(style::slot, place.is_some().then_some(style::away_from_host))} key={console}
                data-place={place.as_deref().unwrap_or("host").to_owned()}>
                if front.shown.len() > 1 {
                    <p class={style::place}>
                        { label }{ " · " }
                        { place.as_deref().map_or_else(|| more.host.to_owned(), |name| fill(more.container, &[name])) }
                    </p>
                }
                <Terminal session={session.clone()} {console} language={props.language} keys={keys.get(slot).cloned().unwrap_or_default()}
                    {row_px} {letters} quiet={*reader} searching={*searching && slot == front.active} on_search={on_search.clone()} {on_focus} />
            </div>
        }
    };
    html! {
        <section class={style::pane} ref={pane} id="terminal" tabindex="-1" aria-label={texts.terminal}>
            <div class={style::bar}>
                <div class={style::tabs} role="group" aria-label={texts.terminal}>
                    { for (0..consoles).map(tab) }
                    if consoles < MAX_CONSOLES {
                        <button type="button" class={style::open} aria-label={texts.terminal_open}
                            title={texts.terminal_open} onclick={open}>{ "+" }</button>
                    }
                </div>
                <Menu session={session.clone()} console={at} language={props.language} split={front.shown.len() > 1}
                    {on_split} {on_size} reader={*reader} {on_reader} on_search={on_search.reform(|()| true)} />
            </div>
            <div class={classes!(style::slots, (front.shown.len() > 1).then_some(style::two))}>
                { for front.shown.iter().copied().enumerate().map(screen) }
            </div>
            { for to_editor }
            <Log session={session.clone()} consoles={front.shown.clone()} reader={*reader} />
            if !session.options().embedded {
                <Steps session={session.clone()} language={props.language} console={at} busy={own.busy}
                    fresh={own.fresh && !*touched && consoles == 1} {on_typed} />
            }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct LogProps {
    session: Session,
    consoles: Vec<usize>,
    reader: bool,
}

/// What is printed, for screen readers: one region for all terminals. It is read out when the prompt is back; in the
/// screen-reader mode as it comes, and then what was read is kept to be gone through again.
#[function_component]
fn Log(props: &LogProps) -> Html {
    let log = use_node_ref();
    {
        let log = log.clone();
        use_effect_with(
            (props.session.clone(), props.consoles.clone(), props.reader),
            move |(session, consoles, reader)| {
                let reader = *reader;
                let listen = |at: usize| {
                    let (own, log) = (session.clone(), log.clone());
                    let speak = move || {
                        let busy = own.console_state(at).is_none_or(|state| state.busy);
                        if busy && !reader {
                            return;
                        }
                        let text = own.take_spoken(at);
                        let (Some(log), false) = (dom::html(&log), text.trim().is_empty()) else { return };
                        if !reader {
                            return log.set_text_content(Some(&text));
                        }
                        for line in text.lines().filter(|line| !line.trim().is_empty()) {
                            if let Some(paragraph) = dom::document().and_then(|d| d.create_element("p").ok()) {
                                paragraph.set_text_content(Some(line));
                                log.append_child(&paragraph).map(drop).unwrap_or_default();
                            }
                        }
                        while log.child_element_count() > LOG_LINES {
                            if let Some(first) = log.first_element_child() {
                                first.remove();
                            }
                        }
                    };
                    session.listen(Topic::Screen(at), Callback::from(move |()| speak()))
                };
                let listening: Vec<Listening> = consoles.iter().copied().map(listen).collect();
                move || drop(listening)
            },
        );
    }
    html! { <div class={style::hidden} role="log" aria-live="polite" ref={log}></div> }
}
