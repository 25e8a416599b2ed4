//! The session's time: undo, redo, going back to any command, another session in place of this one.
//!
//! All of it is a [`Replay`] of a journal, carried on in slices while the old machine stays on the screen. Looking back
//! changes nothing: only what is typed there does, and that begins another session, the one that was left stays kept.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Console, Session, State, Topic};
use crate::machine::{Commands, Input, Journal, Moment, Replay};
use crate::ui::dom;
use crate::ui::keep::{self, Notice};
use crate::view::change::{Change, changes};
use crate::view::explain::{Explained, explain, slip};
use crate::view::picture::{Arrivals, Picture, Stock};
use crate::view::timeline::{Tick, Timeline};

/// Work of one step of a replay, after which the clock is looked at.
const STEP_FUEL: u64 = 200_000;
/// Commands after which what is told of keeping the session goes.
const NOTICE_COMMANDS: usize = 2;
/// A replay that takes longer shows how far it is.
const SHOW_AFTER_MS: f64 = 400.0;

/// What the session knows of its past.
#[derive(Default)]
pub(super) struct Time {
    timeline: Timeline,
    /// Set while an earlier moment is looked at.
    back: Option<Back>,
    job: Option<Job>,
    /// A moment that is to be looked at next.
    next: Option<usize>,
    notice: Option<Notice>,
    /// Commands that there were when it was told.
    told_at: usize,
    /// The database was asked for a session to go on with.
    is_open: bool,
    /// Inputs of the machine's journal that were noticed.
    seen: usize,
    /// What was there at moments that were visited.
    stocks: BTreeMap<usize, Rc<Stock>>,
    compared: Option<(usize, Rc<Vec<Change>>)>,
}

/// The whole of a session of which an earlier moment is looked at.
#[derive(Clone)]
struct Back {
    journal: Rc<Journal>,
    commands: Commands,
    timeline: Timeline,
    at: usize,
}

struct Job {
    replay: Replay,
    timeline: Timeline,
    arrivals: Arrivals,
    consoles: Vec<Console>,
    revision: u64,
    then: Then,
    begun_ms: f64,
}

/// What a replay is for.
enum Then {
    /// To look at a moment of this session; its end is a moment too.
    Look(Back),
    /// To know what was there at a moment.
    Compare(usize),
    /// To go on with another session, and to look at a moment of it.
    Begin(Option<usize>),
}

/// The timeline as it is to be drawn.
#[derive(Clone, PartialEq)]
pub struct TimeView {
    /// One a command.
    pub ticks: Rc<Vec<Rc<Tick>>>,
    /// Commands before the moment that is looked at.
    pub at: usize,
    /// How far a replay is that takes its time: 0 to 100.
    pub progress: Option<u32>,
    /// What is different now from the moment before a command.
    pub compared: Option<(usize, Rc<Vec<Change>>)>,
}

impl TimeView {
    /// Whether an earlier moment is looked at.
    pub fn is_back(&self) -> bool {
        self.at < self.ticks.len()
    }

    /// The nearest moment before this one.
    pub fn earlier(&self) -> Option<usize> {
        (0..self.at).rev().find(|at| self.ticks.get(*at).is_some_and(|tick| tick.is_separate))
    }

    /// The nearest moment after this one.
    pub fn later(&self) -> Option<usize> {
        let is_moment = |at: &usize| self.ticks.get(*at).is_none_or(|tick| tick.is_separate);
        (self.at + 1..=self.ticks.len()).find(is_moment)
    }
}

impl Session {
    /// The timeline.
    pub fn time(&self) -> TimeView {
        let state = self.0.state.borrow();
        let time = &state.time;
        // Who steps back twice does not wait for the first step.
        let heading =
            time.job.as_ref().and_then(|job| if let Then::Look(back) = &job.then { Some(back) } else { None });
        let (timeline, at) = match heading.or(time.back.as_ref()) {
            Some(back) => (&back.timeline, back.at),
            None => (&time.timeline, time.timeline.ticks().len()),
        };
        let slow = time.job.as_ref().filter(|job| dom::now_ms() - job.begun_ms > SHOW_AFTER_MS);
        let progress = slow.map(|job| {
            let (done, all) = job.replay.progress();
            (done * 100).checked_div(all).unwrap_or(0) as u32
        });
        TimeView { ticks: Rc::new(timeline.ticks().to_vec()), at, progress, compared: time.compared.clone() }
    }

    /// The whole session, also while an earlier moment is looked at.
    pub fn journal(&self) -> Rc<Journal> {
        let state = self.0.state.borrow();
        let back = state.time.back.as_ref().map(|back| Rc::clone(&back.journal));
        back.unwrap_or_else(|| Rc::new(state.machine.journal().clone()))
    }

    /// Looks at the moment before a command, or at the end.
    pub fn go_to(&self, index: usize) {
        {
            let mut state = self.0.state.borrow_mut();
            let heading = match &state.time.job {
                Some(Job { then: Then::Look(back), .. }) => Some(back.clone()),
                _ => None,
            };
            let back = heading.or_else(|| state.time.back.clone()).unwrap_or_else(|| Back {
                journal: Rc::new(state.machine.journal().clone()),
                commands: state.machine.commands().clone(),
                timeline: state.time.timeline.clone(),
                at: 0,
            });
            let back = Back { at: index.min(back.commands.all().len()), ..back };
            let moment = back.commands.moment(&back.journal, back.at);
            let replay = Replay::beside(&state.machine, Rc::clone(&back.journal), moment);
            state.start(replay, Then::Look(back));
        }
        keep::note_back(Some(index));
        self.pump();
    }

    /// Goes back by a command.
    pub fn undo(&self) {
        if let Some(at) = self.time().earlier() {
            self.go_to(at);
        }
    }

    /// Takes that back.
    pub fn redo(&self) {
        if let Some(at) = self.time().later() {
            self.go_to(at);
        }
    }

    /// Finds out what is different now from the moment before a command.
    pub fn compare(&self, index: usize) {
        {
            let mut state = self.0.state.borrow_mut();
            if state.time.job.is_some() || state.show_comparison(index) {
                drop(state);
                return self.tell(&[Topic::Time]);
            }
            let (journal, moment) = match &state.time.back {
                Some(back) => (Rc::clone(&back.journal), back.commands.moment(&back.journal, index)),
                None => {
                    let journal = Rc::new(state.machine.journal().clone());
                    let moment = state.machine.commands().moment(&journal, index);
                    (journal, moment)
                }
            };
            let replay = Replay::beside(&state.machine, journal, moment);
            state.start(replay, Then::Compare(index));
        }
        self.pump();
    }

    /// Why the daemon refused what a command asked for, and what repairs it now.
    pub fn explain(&self, tick: &Tick) -> Vec<Explained> {
        if tick.refused.is_empty() {
            // Then the shell or the client may not know a word.
            let failed = tick.status.filter(|status| matches!(status, 1 | 125 | 127));
            return failed.and_then(|status| slip(&tick.text, status, &self.picture())).into_iter().collect();
        }
        let now = self.0.state.borrow().machine.daemon().snapshot();
        tick.refused.iter().take(3).filter_map(|error| explain(error, &tick.text, &now)).collect()
    }

    /// Puts a command line at the prompt, in place of what stands there, without Enter.
    pub fn propose(&self, command: &str) {
        self.send(0, &[b"\x15", command.as_bytes()].concat());
    }

    /// Takes a comparison off the screen.
    pub fn forget_comparison(&self) {
        self.0.state.borrow_mut().time.compared = None;
        self.tell(&[Topic::Time]);
    }

    /// Puts another session in place of this one, up to its end, or on to a moment that is then looked at.
    /// Who calls has seen to it that this one is kept.
    pub fn begin(&self, journal: Rc<Journal>, back: Option<usize>) {
        {
            let mut state = self.0.state.borrow_mut();
            let end = Moment { inputs: journal.inputs.len(), until: journal.end };
            let replay = Replay::beside(&state.machine, journal, end);
            state.start(replay, Then::Begin(back));
        }
        self.pump();
    }

    /// Makes do with what a replay has reached.
    pub fn stop_replay(&self) {
        {
            let mut state = self.0.state.borrow_mut();
            if let Some(job) = state.time.job.take() {
                state.arrive(job);
            }
        }
        self.tell_all();
        self.pump();
        self.release();
    }

    /// What is to be told about keeping the session.
    pub fn notice(&self) -> Option<Notice> {
        self.0.state.borrow().time.notice.clone()
    }

    /// Tells it, or takes it off the screen.
    pub fn tell_notice(&self, notice: Option<Notice>) {
        {
            let mut state = self.0.state.borrow_mut();
            state.time.notice = notice;
            // With a session on its way in, what it brings does not count.
            state.time.told_at =
                if state.time.is_settling() { usize::MAX } else { state.machine.commands().all().len() };
        }
        self.tell(&[Topic::Time]);
    }

    /// Whether another machine is about to take the place of this one: it is not to be judged or typed into.
    pub fn is_settling(&self) -> bool {
        self.0.state.borrow().time.is_settling()
    }

    /// The session that the page opens with is chosen: keys are taken from now on.
    pub fn set_opened(&self) {
        self.0.state.borrow_mut().time.is_open = true;
        self.tell_all();
        self.release();
    }

    pub(super) fn tell_all(&self) {
        let mut topics = vec![Topic::World, Topic::Consoles, Topic::Time];
        topics.extend((0..self.consoles()).map(Topic::Screen));
        self.tell(&topics);
    }
}

impl Time {
    /// Whether keys would go to a machine that is about to be replaced.
    pub(super) fn is_settling(&self) -> bool {
        !self.is_open || self.job.as_ref().is_some_and(|job| !matches!(job.then, Then::Compare(_)))
    }

    /// The moment that is to be looked at next.
    pub(super) fn take_next(&mut self) -> Option<usize> {
        self.next.take()
    }
}

impl State {
    fn start(&mut self, replay: Replay, then: Then) {
        let arrivals = if matches!(then, Then::Begin(_)) { Arrivals::default() } else { self.arrivals.clone() };
        let (begun_ms, timeline, consoles) = (dom::now_ms(), Timeline::default(), Vec::new());
        self.time.job = Some(Job { replay, timeline, arrivals, consoles, revision: 0, then, begun_ms });
    }

    /// Carries a replay on for part of a frame. `None` when there is none; else whether it has ended.
    pub(super) fn replay_slice(&mut self, begin_ms: f64, slice_ms: f64) -> Option<bool> {
        let mut job = self.time.job.take()?;
        loop {
            let arrived = job.replay.step(STEP_FUEL);
            job.look();
            if arrived {
                self.arrive(job);
                return Some(true);
            }
            if dom::now_ms() - begin_ms > slice_ms {
                self.time.job = Some(job);
                return Some(false);
            }
        }
    }

    /// Another machine was put in the place of one whose journal was `left`.
    pub(super) fn adopted(&mut self, left: &Journal) {
        keep::branch(left, self.machine.journal());
        let mut timeline = Timeline::default();
        timeline.collect(&self.machine);
        let seen = self.machine.journal().inputs.len();
        self.time = Time { timeline, seen, is_open: self.time.is_open, ..Time::default() };
    }

    fn arrive(&mut self, mut job: Job) {
        job.look();
        let stock = Rc::new(Stock::of(&job.replay.machine().daemon().snapshot()));
        match job.then {
            Then::Compare(index) => {
                self.time.stocks.insert(index, stock);
                self.show_comparison(index);
                return;
            }
            Then::Look(back) => {
                self.time.stocks.insert(back.at, stock);
                let is_end = back.at >= back.commands.all().len();
                self.time.back = (!is_end).then_some(back);
            }
            Then::Begin(back) => {
                self.time.next = back;
                self.time.back = None;
                self.time.stocks.clear();
                self.tried.clear();
            }
        }
        self.desk = super::desk::Desk::default();
        self.time.compared = None;
        self.time.timeline = job.timeline;
        self.arrivals = job.arrivals;
        self.machine = job.replay.into_machine();
        let sizes: Vec<(usize, usize)> = self.consoles.iter().map(|console| console.screen.size()).collect();
        self.consoles = job.consoles;
        // The windows are as large as they are now.
        for (at, console) in self.consoles.iter_mut().enumerate() {
            if let Some((cols, rows)) = sizes.get(at).or(sizes.first()).copied()
                && console.screen.size() != (cols, rows)
            {
                console.screen.resize(cols as u16, rows as u16);
                self.machine.resize(console.tty, cols as u16, rows as u16);
            }
        }
        self.time.seen = self.machine.journal().inputs.len();
        self.pending.clear();
        self.typing = None;
        (self.origin, self.origin_ms) = (self.machine.now(), dom::now_ms());
        self.revision = 0;
        self.look_at_docker();
        // Going through time is not a change that Docker made.
        self.told = Rc::default();
    }

    /// Puts up what differs now from a moment that is known; whether it is.
    fn show_comparison(&mut self, index: usize) -> bool {
        let Some(then) = self.time.stocks.get(&index) else { return false };
        let before = Picture::of(then, &mut self.arrivals.clone());
        self.time.compared = Some((index, Rc::new(changes(&before, &self.picture))));
        true
    }

    /// Sees what was typed since the last call: keeps it, and leaves the future that had been undone; whether it did that.
    pub(super) fn notice_inputs(&mut self) -> bool {
        let journal = self.machine.journal();
        let new = journal.inputs.get(self.time.seen..).unwrap_or_default();
        if new.is_empty() {
            return false;
        }
        let is_window = |input: &Input| matches!(input, Input::Resize { .. });
        if self.time.back.is_some() && new.iter().all(|(_, input)| is_window(input)) {
            return false;
        }
        let left = self.time.back.take();
        let has_left = left.is_some();
        let mut is_over = false;
        if let Some(back) = left {
            // The session that was gone back in stays kept as it was.
            keep::branch(&back.journal, journal);
            (self.time.notice, self.time.told_at) = (Some(Notice::Branched), self.machine.commands().all().len());
            self.time.stocks.clear();
        } else {
            is_over = keep::append(new, journal);
        }
        self.time.seen = journal.inputs.len();
        if is_over {
            (self.time.notice, self.time.told_at) = (Some(Notice::TooLarge), self.machine.commands().all().len());
        }
        has_left || is_over
    }

    /// Brings the timeline up to date; whether it changed.
    pub(super) fn look_at_commands(&mut self) -> bool {
        if self.machine.commands().all().is_empty() {
            return false;
        }
        let grown = self.time.timeline.collect(&self.machine);
        let commands = self.machine.commands().all().len();
        self.time.told_at = self.time.told_at.min(commands);
        if commands >= self.time.told_at + NOTICE_COMMANDS {
            self.time.notice = self.time.notice.take().filter(|notice| !notice.is_passing());
        }
        if grown && self.time.back.is_none() {
            let title = self.machine.commands().all().last().map(|command| command.text.clone());
            keep::note(self.machine.commands().all().len(), title.unwrap_or_default());
            // The end has moved.
            self.time.stocks.clear();
        }
        grown
    }
}

impl Job {
    /// Feeds the screens, and notes in which order layers arrive and what each command does.
    fn look(&mut self) {
        let machine = self.replay.machine();
        for (tty, cols, rows) in machine.sizes().into_iter().skip(self.consoles.len()) {
            self.consoles.push(Console::new(tty, cols, rows));
        }
        self.timeline.collect(machine);
        let revision = machine.daemon().revision();
        if std::mem::replace(&mut self.revision, revision) != revision {
            Picture::of(&Stock::of(&machine.daemon().snapshot()), &mut self.arrivals);
        }
        for (console, (tty, cols, rows)) in self.consoles.iter_mut().zip(self.replay.machine().sizes()) {
            let bytes = self.replay.take_output(tty);
            if console.screen.size() != (usize::from(cols), usize::from(rows)) {
                console.screen.resize(cols, rows);
            }
            if !bytes.is_empty() {
                console.screen.feed(&bytes);
                console.recording.push(self.replay.machine().now(), &bytes);
            }
        }
    }
}
