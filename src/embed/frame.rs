//! The messages of a page in a frame. The README says under "Embedding" what each of them means.
//!
//! Only the window around the frame is listened to, and only if it is of the origin that the address names, or else of
//! the page's own.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use gloo::timers::callback::Interval;
use serde_json::{Value, json};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{KeyboardEvent, MessageEvent, Window};
use yew::Callback;

use crate::lesson::screen;
use crate::ui::session::{Session, Topic, Waiting};
use crate::ui::{dom, keep, rest};
use crate::view::embed::{self, Request};

/// How often it is looked whether a command has ended.
const LOOK_MS: u32 = 40;
/// A program that reads and says nothing for so long waits for input.
const QUIET_MS: f64 = 900.0;
/// The terminal that commands are typed into.
const CONSOLE: usize = 0;

/// Commands that came together.
struct Job {
    id: Value,
    commands: VecDeque<String>,
    fast: bool,
    running: Option<String>,
    results: Vec<Value>,
}

struct Frame {
    session: Session,
    /// The page around, if there is one.
    around: Option<Window>,
    origin: String,
    ready: Cell<bool>,
    jobs: RefCell<VecDeque<Job>>,
    looking: RefCell<Option<Interval>>,
    /// Entries of the journal that the page around knows.
    journal: Cell<usize>,
    /// Whether what is typed now came from the page around, which knows it.
    mirrors: Cell<bool>,
}

/// Runs the commands of the address, and obeys the page around if the page is embedded in one.
pub fn serve(session: Session) {
    let options = session.options().clone();
    let Some(window) = web_sys::window() else { return };
    let own = window.location().origin().unwrap_or_default();
    let parent = window.parent().ok().flatten().filter(|parent| !js_sys::Object::is(parent, &window));
    let frame = Rc::new(Frame {
        session,
        around: parent.filter(|_| options.embedded),
        origin: options.origin.unwrap_or(own),
        ready: Cell::new(false),
        jobs: RefCell::default(),
        looking: RefCell::default(),
        journal: Cell::new(0),
        mirrors: Cell::new(false),
    });
    if !options.commands.is_empty() {
        frame.add_job(Value::Null, options.commands, false);
    }
    if frame.around.is_some() {
        frame.listen(&window);
    }
}

impl Frame {
    /// Listens for as long as the page lives.
    fn listen(self: &Rc<Self>, window: &Window) {
        let frame = Rc::clone(self);
        EventListener::new(window, "message", move |event| {
            if let Some(event) = event.dyn_ref::<MessageEvent>() {
                frame.hear(event);
            }
        })
        .forget();
        // Shift-Escape gives the keyboard back to the page around, whatever has it in here.
        let frame = Rc::clone(self);
        let options = EventListenerOptions {
            phase: gloo::events::EventListenerPhase::Capture,
            ..EventListenerOptions::enable_prevent_default()
        };
        EventListener::new_with_options(window, "keydown", options, move |event| {
            let Some(key) = event.dyn_ref::<KeyboardEvent>() else { return };
            if key.shift_key() && key.key() == "Escape" {
                event.prevent_default();
                event.stop_propagation();
                frame.post("leave", &Value::Null, json!({}));
            }
        })
        .forget();
        for topic in [Topic::Screen(CONSOLE), Topic::World, Topic::Journal, Topic::Lesson] {
            let frame = Rc::downgrade(self);
            let tell = Callback::from(move |()| {
                if let Some(frame) = frame.upgrade() {
                    frame.tell(topic);
                }
            });
            // The frame lives as long as the page.
            std::mem::forget(self.session.listen(topic, tell));
        }
        self.tell(Topic::Screen(CONSOLE));
    }

    /// Something happened in here that the page around may want to know.
    fn tell(&self, topic: Topic) {
        match topic {
            Topic::World if self.ready.get() => self.post("state", &Value::Null, self.state()),
            Topic::Journal => {
                let (typed, seen) = self.session.typed_since(self.journal.get());
                self.journal.set(seen);
                for (console, text) in typed.into_iter().filter(|_| !self.mirrors.get()) {
                    self.post("typed", &Value::Null, json!({ "console": console, "text": text }));
                }
            }
            Topic::Lesson => {
                if let Some(solved) = self.session.solved() {
                    self.post(
                        "solved",
                        &Value::Null,
                        embed::solved(&solved.lesson, solved.commands, solved.hints, solved.saw_solution),
                    );
                }
            }
            Topic::Screen(_) if !self.ready.get() && self.is_on() => {
                self.ready.set(true);
                let fields = json!({ "version": env!("CARGO_PKG_VERSION"), "seed": self.session.seed() });
                self.post("ready", &Value::Null, fields);
            }
            _ => {}
        }
    }

    /// Whether a prompt has come, and with it the lesson's own machine.
    fn is_on(&self) -> bool {
        !self.session.awaits_lesson() && self.session.console_state(CONSOLE).is_some_and(|state| state.ready)
    }

    fn state(&self) -> Value {
        json!({ "state": self.session.docker_state() })
    }

    fn post(&self, kind: &str, id: &Value, fields: Value) {
        let Some(around) = &self.around else { return };
        // Pages from file:// have no origin that could be named.
        let target = if self.origin == "null" { "*" } else { self.origin.as_str() };
        if let Ok(message) = js_sys::JSON::parse(&embed::message(kind, id, fields).to_string()) {
            around.post_message(&message, target).unwrap_or_default();
        }
    }

    fn hear(self: &Rc<Self>, event: &MessageEvent) {
        let source = js_sys::Reflect::get(event, &"source".into()).unwrap_or(JsValue::NULL);
        let is_around = self.around.as_ref().is_some_and(|around| js_sys::Object::is(around, &source));
        if !is_around || event.origin() != self.origin {
            return;
        }
        let text = js_sys::JSON::stringify(&event.data()).ok().and_then(|text| text.as_string());
        let Some(message) = text.and_then(|text| serde_json::from_str::<Value>(&text).ok()) else { return };
        let Some((request, id)) = embed::request(&message) else { return };
        match request {
            Ok(request) => self.obey(request, id),
            Err(error) => self.post("error", &id, json!({ "message": error.to_string() })),
        }
    }

    fn obey(self: &Rc<Self>, request: Request, id: Value) {
        match request {
            Request::Run { commands, fast } => self.add_job(id, commands, fast),
            Request::Type(text) => {
                // What still types itself was first. Behind it the text would come later, and be told as typed in here.
                self.session.type_rest(CONSOLE);
                self.tell(Topic::Journal);
                self.mirrors.set(true);
                self.session.type_text(CONSOLE, &text);
                self.mirrors.set(false);
            }
            Request::Put { path, text } => match self.session.put_file(&path, text.as_bytes()) {
                Ok(()) => self.post("put", &id, json!({ "path": path })),
                Err(message) => self.post("error", &id, json!({ "message": message })),
            },
            Request::State => self.post("state", &id, self.state()),
            Request::Reset => {
                self.post("reset", &id, json!({}));
                keep::begin_afresh();
                if let Some(window) = web_sys::window() {
                    window.location().reload().unwrap_or_default();
                }
            }
            Request::Show(panes) => self.session.show_panes(panes),
            Request::Focus => {
                if let Ok(Some(keys)) =
                    dom::document().map_or(Ok(None), |document| document.query_selector("[data-capas=keys]"))
                {
                    dom::focus(keys.unchecked_ref());
                }
            }
        }
    }

    fn add_job(self: &Rc<Self>, id: Value, commands: Vec<String>, fast: bool) {
        rest::begin();
        let job = Job { id, commands: commands.into(), fast, running: None, results: Vec::new() };
        self.jobs.borrow_mut().push_back(job);
        // A command that cannot wait for the rest of the program would fetch it a second time.
        let frame = Rc::clone(self);
        spawn_local(async move {
            rest::arrived().await;
            if frame.looking.borrow().is_none() {
                let looks = Rc::clone(&frame);
                *frame.looking.borrow_mut() = Some(Interval::new(LOOK_MS, move || looks.look()));
            }
        });
    }

    /// Ends the command that ran, if it has ended, and starts the next one.
    fn look(&self) {
        let waits = match self.session.waiting(CONSOLE) {
            Waiting::Command => self.is_on(),
            Waiting::Input(quiet_ms) => quiet_ms > QUIET_MS,
            Waiting::Nothing => false,
        };
        if !waits {
            return;
        }
        let mut jobs = self.jobs.borrow_mut();
        let Some(job) = jobs.front_mut() else {
            *self.looking.borrow_mut() = None;
            return;
        };
        if let Some(command) = job.running.take() {
            let output = output(&self.session.take_heard(), self.session.columns(CONSOLE));
            job.results.push(json!({ "command": command, "output": output }));
        }
        if let Some(command) = job.commands.pop_front() {
            let fast = job.fast;
            job.running = Some(command.clone());
            drop(jobs);
            return self.session.run_command(CONSOLE, &command, fast);
        }
        let Some(job) = jobs.pop_front() else { return };
        drop(jobs);
        self.post("ran", &job.id, json!({ "results": job.results }));
    }
}

/// What a command printed: not its own echo, and not the prompt after it.
fn output(heard: &[u8], columns: u16) -> String {
    let end = heard.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let lines = screen::lines(heard.get(..end).unwrap_or_default(), columns);
    // The first line end is that of the command.
    lines.iter().skip(1).map(String::as_str).collect::<Vec<_>>().join("\n")
}
