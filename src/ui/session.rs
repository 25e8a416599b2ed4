//! The handle on a machine: what components hold instead of the engine's state.
//!
//! It lets the machine run while something is running or due and never longer than a part of a frame, maps the wall
//! clock to the machine's, feeds terminals' screens, and tells those who listen that something changed. Nobody outside
//! sees the machine.

mod desk;
mod lesson;
mod remote;
pub mod time;
pub mod transfer;

pub use lesson::Solved;
pub use remote::Waiting;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use gloo::render::{AnimationFrame, request_animation_frame};
use gloo::timers::callback::Timeout;
use yew::prelude::*;

use crate::base::time::Timestamp;
use crate::docker::daemon::api::layers::LayerStack;
use crate::machine::{Config, Machine, Stop, TtyId};
use crate::ui::dom;
use crate::ui::stage::{View, Views};
use crate::view::cast::Recording;
use crate::view::change::{Change, changes};
use crate::view::deeds::{Deeds, Move};
use crate::view::embed::{Options, Panes};
use crate::view::inside::Subject;
use crate::view::keys::{self, KeyPress};
use crate::view::picture::{Arrivals, Picture, Stock};
use crate::view::screen::{Screen, Shown};
use crate::view::settings::Speed;

/// How long the machine may run before the browser gets its turn.
const SLICE_MS: f64 = 7.0;
/// How long one call of the machine should take, so that the clock is looked at often enough.
const CALL_MS: f64 = 1.5;
/// The steps in which the machine's time passes, when it is behind: by how long one takes the page.
const MIN_STEP: Duration = Duration::from_millis(1);
const FIRST_STEP: Duration = Duration::from_secs(1);
const MAX_STEP: Duration = Duration::from_secs(86_400);
/// Steps as short as this mean that the page can't keep up.
const SLOW_STEP: Duration = Duration::from_millis(64);
/// Bytes of a paste that are typed at once.
const PASTE_CHUNK: usize = 4096;
/// Between two characters of a command that types itself.
const TYPING_MS: u32 = 12;
/// Terminals at most.
pub const MAX_CONSOLES: usize = 6;

/// What a listener wants to hear of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Topic {
    /// The screen of a terminal, by its number.
    Screen(usize),
    /// Images, containers and the rest of the picture.
    World,
    /// How many terminals there are.
    Consoles,
    /// Which view stands beside the terminal, and what it is to show.
    Stage,
    /// What was typed, by whomever.
    Journal,
    /// Files of the host may have changed.
    Files,
    /// Files on their way in.
    Transfers,
    /// Commands, the moment that is looked at, what is told of keeping the session.
    Time,
    /// An exercise was solved.
    Lesson,
}

/// A running machine. Clones are the same one.
#[derive(Clone)]
pub struct Session(Rc<Shared>);

impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

struct Shared {
    state: RefCell<State>,
    listeners: RefCell<Listeners>,
    views: RefCell<Views>,
    options: Options,
    panes: Cell<Panes>,
    wants: desk::Wants,
    lessons: lesson::Lessons,
    transfers: RefCell<Rc<Vec<transfer::Transfer>>>,
}

#[derive(Default)]
struct Listeners {
    next: u32,
    by_id: BTreeMap<u32, (Topic, Callback<()>)>,
}

struct State {
    machine: Machine,
    consoles: Vec<Console>,
    /// What is still to be typed: pastes, a chunk at a time.
    pending: VecDeque<(usize, VecDeque<u8>)>,
    /// Typed while another machine is about to take the place of this one.
    held: Vec<Held>,
    /// A command that types itself.
    typing: Option<(usize, VecDeque<u8>, Timeout)>,
    /// The machine's time when the page's clock showed `origin_ms`.
    origin: Timestamp,
    origin_ms: f64,
    wake: Option<Wake>,
    slice_fuel: u64,
    step: Duration,
    running: bool,
    revision: u64,
    arrivals: Arrivals,
    deeds: Deeds,
    moves: Rc<Vec<Move>>,
    picture: Rc<Picture>,
    told: Rc<Vec<Change>>,
    tried: BTreeSet<&'static str>,
    heard: remote::Heard,
    desk: desk::Desk,
    time: time::Time,
    speed: Speed,
    /// Machine time that passes in a page's second.
    rate: u32,
}

struct Console {
    tty: TtyId,
    screen: Screen,
    recording: Recording,
    /// The container that it is in.
    place: Option<Rc<str>>,
}

impl Console {
    fn new(tty: TtyId, cols: u16, rows: u16) -> Self {
        Self { tty, screen: Screen::new(cols, rows), recording: Recording::default(), place: None }
    }
}

/// What will make the machine run again. Dropping it takes it back.
enum Wake {
    #[expect(dead_code, reason = "held so that the request is not taken back")]
    Frame(AnimationFrame),
    #[expect(dead_code, reason = "held so that the timer is not taken back")]
    Timer(Timeout),
}

/// Hears of a topic until it is dropped.
pub struct Listening {
    session: Session,
    id: u32,
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Ok(mut listeners) = self.session.0.listeners.try_borrow_mut() {
            listeners.by_id.remove(&self.id);
        }
    }
}

/// A terminal as it is to be drawn.
#[derive(Clone, PartialEq)]
pub struct ConsoleView {
    /// The rows.
    pub shown: Shown,
    /// The rest.
    pub state: ConsoleState,
}

/// What a terminal is doing.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsoleState {
    /// Something has been printed: keys are taken.
    pub ready: bool,
    /// A program runs and no prompt waits.
    pub busy: bool,
    /// Nothing was typed yet.
    pub fresh: bool,
}

impl Session {
    /// Boots a machine for a page that shows what `options` say.
    pub fn new(config: Config, options: Options) -> Self {
        let machine = Machine::new(config);
        let (tty, origin) = (machine.console(), machine.now());
        let session = Self(Rc::new(Shared {
            state: RefCell::new(State {
                machine,
                consoles: vec![Console::new(tty, 80, 24)],
                pending: VecDeque::new(),
                held: Vec::new(),
                typing: None,
                origin,
                origin_ms: dom::now_ms(),
                wake: None,
                slice_fuel: 10_000,
                step: FIRST_STEP,
                running: false,
                revision: 0,
                arrivals: Arrivals::default(),
                deeds: Deeds::default(),
                moves: Rc::default(),
                picture: Rc::default(),
                told: Rc::default(),
                tried: BTreeSet::new(),
                heard: remote::Heard::default(),
                desk: desk::Desk::default(),
                time: time::Time::default(),
                speed: Speed::default(),
                rate: 1,
            }),
            listeners: RefCell::default(),
            views: RefCell::default(),
            panes: Cell::new(options.panes),
            options,
            wants: desk::Wants::default(),
            lessons: lesson::Lessons::default(),
            transfers: RefCell::default(),
        }));
        session.pump();
        session
    }

    /// Calls `callback` whenever something of `topic` changed.
    pub fn listen(&self, topic: Topic, callback: Callback<()>) -> Listening {
        let mut listeners = self.0.listeners.borrow_mut();
        let id = listeners.next;
        listeners.next += 1;
        listeners.by_id.insert(id, (topic, callback));
        Listening { session: self.clone(), id }
    }

    /// Which views there are beside the terminal, and which one is in front.
    pub fn views(&self) -> Views {
        self.0.views.borrow().clone()
    }

    /// Brings a view to the front.
    pub fn show(&self, view: View) {
        self.0.views.borrow_mut().show(view);
        self.tell(&[Topic::Stage]);
    }

    /// How many terminals there are.
    pub fn consoles(&self) -> usize {
        self.0.state.borrow().consoles.len()
    }

    /// Opens another terminal on the same machine and gives its number.
    pub fn open_console(&self) -> usize {
        let at = {
            let mut state = self.0.state.borrow_mut();
            let size = state.consoles.first().map_or((80, 24), |console| console.screen.size());
            if state.consoles.len() < MAX_CONSOLES {
                let (cols, rows) = (size.0 as u16, size.1 as u16);
                let tty = state.machine.open_console(cols, rows);
                state.consoles.push(Console::new(tty, cols, rows));
            }
            state.consoles.len() - 1
        };
        self.tell(&[Topic::Consoles]);
        self.pump();
        at
    }

    /// A terminal as it is to be drawn.
    pub fn console(&self, at: usize) -> Option<ConsoleView> {
        let state = self.0.state.borrow();
        let console = state.consoles.get(at)?;
        let shown = console.screen.shown();
        drop(state);
        Some(ConsoleView { shown, state: self.console_state(at)? })
    }

    /// What a terminal is doing.
    pub fn console_state(&self, at: usize) -> Option<ConsoleState> {
        let state = self.0.state.borrow();
        let console = state.consoles.get(at)?;
        let waiting = state.pending.is_empty() && state.typing.is_none();
        Some(ConsoleState {
            ready: console.screen.is_written() && !state.time.is_settling(),
            busy: !waiting || state.machine.is_busy(console.tty),
            fresh: console.screen.is_fresh(),
        })
    }

    /// The lines printed on a terminal since the last call, for screen readers.
    pub fn take_spoken(&self, at: usize) -> String {
        let mut state = self.0.state.borrow_mut();
        state.consoles.get_mut(at).map(|console| console.screen.take_spoken()).unwrap_or_default()
    }

    /// Changes with every change of images, containers and their files.
    pub fn revision(&self) -> u64 {
        self.0.state.borrow().revision
    }

    /// The layers of what is looked into, while it is there.
    pub fn stack(&self, subject: &Subject) -> Option<LayerStack> {
        let state = self.0.state.borrow();
        match subject {
            Subject::Object(id) => state.machine.daemon().layer_stack(id),
            Subject::Layer(chain) => state.machine.daemon().layer_stack_to(*chain),
        }
    }

    /// What somebody makes of the machine as it is now.
    pub(super) fn with_machine<T>(&self, look: impl FnOnce(&Machine) -> T) -> T {
        look(&self.0.state.borrow().machine)
    }

    /// The picture of layers.
    pub fn picture(&self) -> Rc<Picture> {
        Rc::clone(&self.0.state.borrow().picture)
    }

    /// What moves in the picture: another `Rc` whenever something does.
    pub fn moves(&self) -> Rc<Vec<Move>> {
        Rc::clone(&self.0.state.borrow().moves)
    }

    /// What last changed in the picture.
    pub fn told(&self) -> Rc<Vec<Change>> {
        Rc::clone(&self.0.state.borrow().told)
    }

    /// Commands that were offered and taken.
    pub fn tried(&self) -> BTreeSet<&'static str> {
        self.0.state.borrow().tried.clone()
    }

    /// A key; whether the terminal takes it.
    pub fn key(&self, at: usize, press: KeyPress<'_>) -> bool {
        if self.0.options.read_only {
            return false;
        }
        let application = {
            let state = self.0.state.borrow();
            state.consoles.get(at).is_some_and(|console| console.screen.application_cursor_keys())
        };
        match keys::encode(press, application) {
            Some(bytes) => {
                self.send(at, &bytes);
                true
            }
            None => false,
        }
    }

    /// Types bytes. Ctrl-C also ends what is still being pasted or typed by itself.
    pub fn send(&self, at: usize, bytes: &[u8]) {
        if self.0.options.read_only {
            return;
        }
        self.send_always(at, bytes);
    }

    fn send_always(&self, at: usize, bytes: &[u8]) {
        {
            let mut state = self.0.state.borrow_mut();
            if state.time.is_settling() {
                state.held.push(Held::Keys(at, bytes.to_vec()));
                return;
            }
            let interrupt = bytes.contains(&3);
            if let Some((console, rest, _)) = state.typing.take()
                && !interrupt
            {
                state.pending.push_back((console, rest));
            }
            if interrupt {
                state.pending.retain(|(console, _)| *console != at);
            }
            if state.pending.iter().any(|(console, _)| *console == at) {
                state.pending.push_back((at, bytes.iter().copied().collect()));
            } else {
                state.type_now(at, bytes);
            }
        }
        self.pump();
    }

    /// Pastes text of any length.
    pub fn paste(&self, at: usize, text: &str) {
        if self.0.options.read_only {
            return;
        }
        {
            let mut state = self.0.state.borrow_mut();
            if state.time.is_settling() {
                state.held.push(Held::Paste(at, text.to_owned()));
                return;
            }
            let bracketed = state.consoles.get(at).is_some_and(|console| console.screen.bracketed_paste());
            let bytes = keys::paste(text, bracketed);
            state.pending.push_back((at, bytes.into()));
        }
        self.pump();
    }

    /// Types what was typed while another machine was about to take the place of this one.
    fn release(&self) {
        let held = {
            let Ok(mut state) = self.0.state.try_borrow_mut() else { return };
            if state.time.is_settling() { Vec::new() } else { std::mem::take(&mut state.held) }
        };
        for held in held {
            match held {
                Held::Keys(at, bytes) => self.send_always(at, &bytes),
                Held::Paste(at, text) => self.paste(at, &text),
            }
        }
    }

    /// Lets a command type itself into a terminal, in place of what stands at the prompt, with Enter.
    pub fn type_command(&self, at: usize, command: &'static str) {
        if self.is_settling() {
            return;
        }
        self.send(at, b"\x15");
        self.0.state.borrow_mut().tried.insert(command);
        let bytes: VecDeque<u8> = command.bytes().chain([b'\r']).collect();
        if self.types_at_once(at) {
            let bytes: Vec<u8> = bytes.into();
            self.send(at, &bytes);
        } else {
            self.type_next(at, bytes);
        }
        self.tell(&[Topic::World]);
    }

    /// Whether a command is not to type itself letter by letter: nobody sees it, or it stands behind another.
    fn types_at_once(&self, at: usize) -> bool {
        let state = self.0.state.borrow();
        let waits = state.typing.is_some() || state.pending.iter().any(|(console, _)| *console == at);
        waits || is_hidden() || dom::wants_less_motion()
    }

    fn type_next(&self, at: usize, mut rest: VecDeque<u8>) {
        // Long texts in bites, or nobody would wait for their end.
        let bite: Vec<u8> = rest.drain(..rest.len().min(1 + rest.len() / 64)).collect();
        if bite.is_empty() {
            self.0.state.borrow_mut().typing = None;
            self.pump();
            self.tell(&[Topic::Screen(at)]);
            return;
        }
        {
            let mut state = self.0.state.borrow_mut();
            state.heard.before(&bite);
            state.type_now(at, &bite);
            let session = self.clone();
            let next = rest.clone();
            let timer = Timeout::new(TYPING_MS, move || session.type_next(at, next));
            state.typing = Some((at, rest, timer));
        }
        self.pump();
    }

    /// Tells a terminal its size in cells.
    pub fn resize(&self, at: usize, cols: u16, rows: u16) {
        {
            let mut state = self.0.state.borrow_mut();
            let State { machine, consoles, .. } = &mut *state;
            let Some(console) = consoles.get_mut(at) else { return };
            if console.screen.size() == (usize::from(cols), usize::from(rows)) {
                return;
            }
            console.screen.resize(cols, rows);
            machine.resize(console.tty, cols, rows);
        }
        self.tell(&[Topic::Screen(at)]);
        self.pump();
    }

    /// Lets the machine run for a part of a frame, draws what it printed, and sees to it that it runs on when due.
    fn pump(&self) {
        let Ok(mut state) = self.0.state.try_borrow_mut() else { return };
        state.wake = None;
        let (topics, next) = match state.replay_slice(dom::now_ms(), SLICE_MS) {
            Some(has_arrived) => {
                if has_arrived {
                    drop(state);
                    self.tell_all();
                    return self.go_on();
                }
                (vec![Topic::Time], Next::Frame)
            }
            None => state.run_slice(),
        };
        let news = state.look_at_desk();
        state.wake = match next {
            Next::Nothing => None,
            Next::Frame if !is_hidden() && !self.0.options.embedded => {
                let session = self.clone();
                Some(Wake::Frame(request_animation_frame(move |_| session.pump())))
            }
            // Frames stop in hidden tabs and in frames out of sight, timers only slow down.
            Next::Frame => Some(self.timer(if is_hidden() { 16 } else { 4 })),
            Next::After(ms) => Some(self.timer(ms)),
        };
        drop(state);
        self.tell(&topics);
        self.settle(news);
    }

    /// After a replay: to the moment that was looked at before a reload, or on with the machine.
    fn go_on(&self) {
        let next = self.0.state.borrow_mut().time.take_next();
        match next {
            Some(at) => self.go_to(at),
            None => self.pump(),
        }
        self.release();
    }

    /// Sets how fast the machine's time passes while a command runs.
    pub fn set_speed(&self, speed: Speed) {
        self.0.state.borrow_mut().speed = speed;
        self.pump();
    }

    fn timer(&self, ms: u32) -> Wake {
        let session = self.clone();
        Wake::Timer(Timeout::new(ms, move || session.pump()))
    }

    fn tell(&self, topics: &[Topic]) {
        // Callbacks are taken out first: a listener may come or go while they run.
        let callbacks: Vec<Callback<()>> = {
            let listeners = self.0.listeners.borrow();
            let wanted = listeners.by_id.values().filter(|(topic, _)| topics.contains(topic));
            wanted.map(|(_, callback)| callback.clone()).collect()
        };
        for callback in callbacks {
            callback.emit(());
        }
    }
}

/// What was typed into a terminal while its machine was about to be replaced.
enum Held {
    Keys(usize, Vec<u8>),
    Paste(usize, String),
}

/// When the machine should run again.
enum Next {
    Nothing,
    Frame,
    After(u32),
}

impl State {
    fn type_now(&mut self, at: usize, bytes: &[u8]) {
        let now = self.clock();
        self.machine.advance_to(now);
        if let Some(console) = self.consoles.get(at) {
            self.machine.input(console.tty, bytes);
        }
    }

    /// The machine's time that belongs to this moment.
    fn clock(&self) -> Timestamp {
        // Whole milliseconds: times are most of what a shared session weighs.
        let passed_ms = (dom::now_ms() - self.origin_ms).max(0.0) * f64::from(self.rate);
        self.origin + Duration::from_millis(passed_ms as u64)
    }

    /// Lets time pass faster or slower from now on.
    fn set_rate(&mut self, rate: u32) {
        if rate != self.rate {
            (self.origin, self.origin_ms) = (self.clock(), dom::now_ms());
            self.rate = rate;
        }
    }

    fn run_slice(&mut self) -> (Vec<Topic>, Next) {
        let begin = dom::now_ms();
        let mut printed = BTreeSet::new();
        let was_running = self.running;
        let had_pending = !self.pending.is_empty();
        let mut noticed = false;
        let next = loop {
            let is_busy = self.consoles.iter().any(|console| self.machine.is_busy(console.tty));
            self.set_rate(if is_busy { self.speed.rate() } else { 1 });
            let clock = self.clock();
            // Work that takes this page longer than the machine must not pile up: then time comes in smaller steps.
            let now = clock.min(self.machine.now() + self.step);
            self.machine.advance_to(now);
            // Before anything runs on it, which may break the page.
            noticed |= self.notice_inputs();
            let call = dom::now_ms();
            let stop = self.machine.run(self.slice_fuel);
            let took = dom::now_ms() - call;
            if took > CALL_MS * 2.0 {
                self.step = (self.step / 2).max(MIN_STEP);
            } else if took < CALL_MS / 2.0 {
                self.step = self.step.saturating_mul(2).min(MAX_STEP);
            }
            self.take_output(&mut printed);
            self.running = stop == Stop::OutOfFuel;
            if self.running {
                if took < CALL_MS / 2.0 {
                    self.slice_fuel = self.slice_fuel.saturating_mul(2).min(1 << 32);
                } else if took > CALL_MS * 2.0 {
                    self.slice_fuel = (self.slice_fuel / 2).max(500);
                }
            }
            let due = match stop {
                Stop::Idle => None,
                Stop::Until(t) => Some(t.since(self.clock())),
                Stop::OutOfFuel => Some(Duration::ZERO),
            };
            let more_to_type = !self.running && self.type_pending();
            let behind = now < clock;
            let again = more_to_type || behind || due.is_some_and(|wait| wait.is_zero());
            if again && dom::now_ms() - begin < SLICE_MS {
                continue;
            }
            if behind && self.step <= SLOW_STEP {
                // What could not be kept up with is not run after.
                (self.origin, self.origin_ms) = (self.machine.now(), dom::now_ms());
            }
            break match due {
                _ if again => Next::Frame,
                None => Next::Nothing,
                Some(wait) if wait < Duration::from_millis(20) * self.rate => Next::Frame,
                Some(wait) => Next::After(u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).min(60_000) / self.rate),
            };
        };
        let mut topics: Vec<Topic> = printed.into_iter().map(Topic::Screen).collect();
        if was_running != self.running || had_pending == self.pending.is_empty() {
            topics.extend((0..self.consoles.len()).map(Topic::Screen));
        }
        if !topics.is_empty() && !self.running {
            topics.push(Topic::Files);
        }
        if self.look_at_docker() {
            topics.push(Topic::World);
        }
        if self.heard.is_journal_longer(self.machine.journal().inputs.len()) {
            topics.push(Topic::Journal);
        }
        if self.look_at_commands() || noticed {
            topics.push(Topic::Time);
        }
        (topics, next)
    }

    /// Types the next chunk of what is pasted; whether there was one.
    fn type_pending(&mut self) -> bool {
        let Some((at, rest)) = self.pending.front_mut() else { return false };
        let at = *at;
        // A line at a time, so that each is a command of its own on the timeline.
        let line = rest.iter().take(PASTE_CHUNK).position(|byte| *byte == b'\r').map_or(PASTE_CHUNK, |at| at + 1);
        let chunk: Vec<u8> = rest.drain(..rest.len().min(line)).collect();
        if rest.is_empty() {
            self.pending.pop_front();
        }
        self.type_now(at, &chunk);
        true
    }

    fn take_output(&mut self, printed: &mut BTreeSet<usize>) {
        for (at, console) in self.consoles.iter_mut().enumerate() {
            let bytes = self.machine.take_output(console.tty);
            if !bytes.is_empty() {
                console.screen.feed(&bytes);
                self.heard.hear(at, &bytes);
                console.recording.push(self.machine.now(), &bytes);
                printed.insert(at);
            }
        }
    }

    /// Draws the picture up anew if anything happened; whether it is another one.
    fn look_at_docker(&mut self) -> bool {
        let daemon = self.machine.daemon();
        let revision = daemon.revision();
        if revision == self.revision {
            return false;
        }
        self.revision = revision;
        let snapshot = daemon.snapshot();
        let moves = self.deeds.read(daemon);
        self.look_at_places(&snapshot);
        let mut stock = Stock::of(&snapshot);
        for container in &mut stock.containers {
            container.recent = self.deeds.recent(&container.id);
        }
        let mut picture = Picture::of(&stock, &mut self.arrivals);
        if picture == *self.picture && moves.is_empty() {
            return false;
        }
        picture.reuse(&self.picture);
        self.moves = Rc::new(moves);
        let told = changes(&self.picture, &picture);
        if !told.is_empty() {
            self.told = Rc::new(told);
        }
        self.picture = Rc::new(picture);
        true
    }
}

fn is_hidden() -> bool {
    dom::document().is_some_and(|document| document.hidden())
}

/// Draws the component anew whenever something of `topic` changes.
#[hook]
pub fn use_topic(session: &Session, topic: Topic) {
    let update = use_force_update();
    use_effect_with((session.clone(), topic), move |(session, topic)| {
        let listening = session.listen(*topic, Callback::from(move |()| update.force_update()));
        move || drop(listening)
    });
}
