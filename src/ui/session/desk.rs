//! What a session has around its terminals: the host's files, pages of its servers, and what programs ask of the desktop.

use crate::base::sort::Arrange;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use gloo::timers::callback::Timeout;
use yew::prelude::*;

use super::{Session, State, Topic};
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::docker::daemon::api::snapshot::Snapshot;
use crate::machine::browser::{NoPage, Page, Request};
use crate::machine::host;
use crate::os::fs::mounts::Caller;
use crate::os::fs::node::Kind;
use crate::os::kernel::desktop::Wish;
use crate::ui::dom;
use crate::ui::stage::View;
use crate::view::files::Row;
use crate::view::forecast::Forecast;
use crate::view::place::{self, Candidate};

/// Who hears of an answer.
type Waiting = Callback<Result<Page, NoPage>>;

/// Requests under way, and what the machine's programs asked for.
#[derive(Default)]
pub(super) struct Desk {
    asked: BTreeMap<u32, Waiting>,
    /// A file that is open in an editor of a terminal, until its command ends.
    editing: Option<(usize, String)>,
}

/// An address that the browser is to show, with a number: the same one may be asked for again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// Grows with every wish.
    pub number: u32,
    /// What is wanted.
    pub what: String,
}

/// What views are to show.
#[derive(Default)]
pub(super) struct Wants {
    address: RefCell<Rc<Wanted>>,
    /// Files that nobody has opened yet: one command may name several.
    files: RefCell<Vec<String>>,
}

/// What came of running the machine for the desk.
pub(super) struct News {
    answers: Vec<(Waiting, Result<Page, NoPage>)>,
    wishes: Vec<Wish>,
}

impl State {
    /// Looks which container each terminal is in.
    pub(super) fn look_at_places(&mut self, snapshot: &Snapshot) {
        let running: Vec<Candidate<'_>> = snapshot
            .containers
            .iter()
            .filter(|container| container.state == "running")
            .map(|container| Candidate { id: &container.id, name: &container.name })
            .collect();
        let clients: Vec<_> = match running.is_empty() {
            true => Vec::new(),
            false => self.machine.kernel().processes(None).into_iter().filter(|p| p.comm == "docker").collect(),
        };
        for console in &mut self.consoles {
            let client = clients.iter().rev().find(|client| client.tty == Some(console.tty));
            let args: Vec<String> = client.into_iter().flat_map(|c| c.args.iter().map(ToString::to_string)).collect();
            console.place = place::container(&args, &running).map(Rc::from);
        }
    }

    /// Takes answers and wishes out of the machine.
    pub(super) fn look_at_desk(&mut self) -> News {
        let machine = &self.machine;
        let mut answers = Vec::new();
        self.desk.asked.retain(|number, waiting| match machine.take_page(*number) {
            Some(answer) => {
                answers.push((waiting.clone(), answer));
                false
            }
            None => true,
        });
        let wishes = machine.take_wishes();
        let at = self.desk.editing.as_ref().map(|(at, _)| *at);
        if at.and_then(|at| self.consoles.get(at)).is_some_and(|console| !machine.is_busy(console.tty)) {
            self.desk.editing = None;
        }
        News { answers, wishes }
    }
}

impl Session {
    /// Tells those who wait, and does what was asked.
    pub(super) fn settle(&self, news: News) {
        for (waiting, answer) in news.answers {
            waiting.emit(answer);
        }
        for wish in news.wishes {
            match wish {
                Wish::Edit(path) => self.edit(&path.to_string()),
                Wish::Browse(url) => self.browse(&url),
                Wish::Editing(path) => {
                    let mut state = self.0.state.borrow_mut();
                    let at = state.consoles.iter().position(|console| state.machine.is_busy(console.tty));
                    state.desk.editing = at.map(|at| (at, path.to_string()));
                }
            }
        }
    }

    /// The file that is open in an editor of this terminal.
    pub fn editing(&self, at: usize) -> Option<String> {
        let state = self.0.state.borrow();
        state.desk.editing.as_ref().filter(|(own, _)| *own == at).map(|(_, path)| path.clone())
    }

    /// Asks a server of the machine's network; the callback hears the answer.
    pub fn fetch(&self, request: Request, waiting: Waiting) {
        {
            let mut state = self.0.state.borrow_mut();
            let now = state.clock();
            state.machine.advance_to(now);
            let number = state.machine.fetch(request);
            state.desk.asked.insert(number, waiting);
        }
        self.pump();
    }

    /// Shows an address in the browser.
    pub fn browse(&self, url: &str) {
        let slot = &self.0.wants.address;
        let number = slot.borrow().number.wrapping_add(1);
        slot.replace(Rc::new(Wanted { number, what: url.to_owned() }));
        self.show(View::Browser);
    }

    /// Opens a file of the host in the editor.
    pub fn edit(&self, path: &str) {
        self.0.wants.files.borrow_mut().push(path.to_owned());
        self.show(View::Files);
    }

    /// The address that the browser is to show.
    pub fn wanted_address(&self) -> Rc<Wanted> {
        Rc::clone(&self.0.wants.address.borrow())
    }

    /// The files that the editor is to open, which takes them.
    pub fn take_wanted_files(&self) -> Vec<String> {
        self.0.wants.files.take()
    }

    /// What is in a folder of the host, as far as the student may look.
    pub fn folder(&self, path: &str) -> Result<Vec<Row>, Errno> {
        let state = self.0.state.borrow();
        let mounts = state.machine.host_files();
        let mounts = mounts.borrow();
        let who = Caller { cred: host::student(), ..Caller::root() };
        let entries = mounts.readdir(&who, path.as_bytes())?;
        let mut rows: Vec<Row> = entries
            .iter()
            .map(|entry| {
                let name = entry.name.to_string();
                let stat = mounts.stat(&who, format!("{path}/{name}").as_bytes(), true).ok();
                Row {
                    is_folder: stat.as_ref().is_some_and(|stat| stat.kind == Kind::Dir),
                    size_bytes: stat.map_or(0, |stat| stat.size_bytes),
                    name,
                }
            })
            .collect();
        rows.arrange_by_key(|row| !row.is_folder);
        Ok(rows)
    }

    /// The content of a file of the host, if the student may read it.
    pub fn read(&self, path: &str) -> Result<Rope, Errno> {
        let state = self.0.state.borrow();
        let who = Caller { cred: host::student(), ..Caller::root() };
        let stat = state.machine.host_files().borrow().stat(&who, path.as_bytes(), true)?;
        if !who.cred.allows(stat.kind, &stat.meta, 4) {
            return Err(Errno::EACCES);
        }
        state.machine.file(path)
    }

    /// Saves a file of the host.
    pub fn save(&self, path: &str, content: Rope) -> Result<(), Errno> {
        let saved = {
            let mut state = self.0.state.borrow_mut();
            let now = state.clock();
            state.machine.advance_to(now);
            state.machine.save_file(path, content)
        };
        self.tell(&[Topic::Files]);
        self.pump();
        saved
    }

    /// What a Dockerfile of the host would do if it were built with this text.
    pub fn forecast(&self, path: &str, text: &str) -> Forecast {
        Forecast::of(&self.0.state.borrow().machine, path, text)
    }

    /// The folder in which a terminal's shell is.
    pub fn cwd(&self, at: usize) -> String {
        let state = self.0.state.borrow();
        let tty = state.consoles.get(at).map(|console| console.tty);
        tty.map_or_else(|| host::HOME.to_owned(), |tty| state.machine.cwd(tty).to_string())
    }

    /// The container that a terminal is in, or none on the host.
    pub fn place(&self, at: usize) -> Option<Rc<str>> {
        self.0.state.borrow().consoles.get(at).and_then(|console| console.place.clone())
    }

    /// What a terminal was sent, as asciicast.
    pub fn recording(&self, at: usize) -> String {
        let state = self.0.state.borrow();
        state.consoles.get(at).map(|c| c.recording.to_asciicast(c.screen.size())).unwrap_or_default()
    }

    /// Where the layers show what has this id: a selector.
    pub fn drawn(&self, id: &str) -> Option<String> {
        let picture = self.picture();
        let is = |whole: &str| whole.trim_start_matches("sha256:").starts_with(id);
        let slab =
            picture.slabs().into_iter().find(|slab| is(&slab.diff_id.to_string()) || is(&slab.chain_id.to_string()));
        let container = || picture.containers().into_iter().find(|one| is(&one.fact.id));
        let image = || picture.images().into_iter().find(|image| is(&image.id.to_string()));
        slab.map(|slab| format!("[data-layer=\"{}\"]", slab.short))
            .or_else(|| container().map(|one| format!("[data-container=\"{}\"]", one.fact.name)))
            .or_else(|| image().map(|image| format!("[data-image=\"{}\"]", image.title())))
    }

    /// Shows the layers and points at what `selector` finds there.
    pub fn point_at(&self, selector: &str) {
        self.show(View::Layers);
        let selector = selector.to_owned();
        // Once they are drawn.
        Timeout::new(60, move || {
            let found = dom::document().and_then(|document| document.query_selector(&selector).ok().flatten());
            if let Some(found) = found {
                found.scroll_into_view();
                dom::flash(&found);
            }
        })
        .forget();
    }

    /// Writes text at a terminal's prompt, without Enter.
    pub fn insert(&self, at: usize, text: &str) {
        self.send(at, text.as_bytes());
    }
}
