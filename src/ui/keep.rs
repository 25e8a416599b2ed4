//! Keeping the session: what was typed goes to the browser's database as it is typed, and is there after a reload, a crash
//! or a lost tab.
//!
//! A session belongs to one tab: it holds a lock of the session's name while it is open, so that tabs never write into one
//! another's. Leaving the future that was undone, opening a link or starting anew begin another session; the one that was
//! left stays in the list. What is not yet written is held here, outside of the session, so that a panic can still save it.
//!
//! Pages that are part of another one, and those in which the visitor can't type, begin as their address says and write
//! nothing, unless the address asks for it by `keep=NAME`: then they have sessions of that name, apart from all others.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::base::time::Timestamp;
use crate::machine::{CodecError, Config, Input, Journal, MAX_CONTENT};
use crate::ui::session::Session;
use crate::ui::store::{Row, Store};
use crate::ui::{dom, rest};
use crate::view::embed::{Keep, Options};

/// What is typed is written when nothing more came for this long.
const SAVE_AFTER_MS: u32 = 300;
/// Inputs and bytes after which a chunk is full.
const CHUNK_INPUTS: usize = 256;
const CHUNK_BYTES: usize = 64 << 10;
/// Sessions that are kept.
const MAX_ROWS: usize = 30;
/// Names in the tab's storage: whose tab this is, the moment looked at, how often the page broke in a row, the lesson
/// with whose machine the session began, and whether a reload is to begin anew.
const OWN: &str = "capas.session";
const BACK: &str = "capas.back";
const BROKEN: &str = "capas.broken";
const LESSON: &str = "capas.lesson";
const AFRESH: &str = "capas.afresh";
/// Name in the browser's storage: something is kept, which a page has to wait for.
const KEPT: &str = "capas.kept";
/// What stands between the name that an address asks for and the rest of a session's name in the database.
const NAMED: char = '~';
/// How long the database may take to open. Some browsers never answer.
const OPEN_MS: u32 = 3_000;
/// A page that has lived this long is not broken by what it was restored from.
const SOUND_AFTER_MS: u32 = 5_000;

/// Something to tell about keeping; the words are in [`crate::view::texts::time`].
#[derive(Clone, PartialEq, Debug)]
pub enum Notice {
    /// The last session is back, with so many commands.
    Restored(usize),
    /// The page broke; so many inputs were left out of what was restored, and lie in an own session.
    AfterCrash(usize),
    /// The browser keeps nothing.
    MemoryOnly,
    /// A file is too large for the session to be kept or handed on.
    TooLarge,
    /// What was given is not a session that can be opened. The running one is untouched.
    Unreadable(CodecError),
    /// A kept session can't be read any more, or only its beginning: the bytes can be saved.
    Damaged(Row),
    /// A session from a link or a file was opened in place of one that is kept.
    Opened(usize),
    /// The future that was undone was left; it is kept.
    Branched,
    /// A new session.
    Anew,
    /// A link with so many characters is in the clipboard.
    LinkCopied(usize),
}

impl Notice {
    /// Whether it goes by itself when the student has gone on: what it offers is in the session's menu too.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Restored(_) | Self::Opened(_) | Self::Branched | Self::Anew | Self::LinkCopied(_))
    }
}

thread_local! {
    static KEEPER: RefCell<Keeper> = RefCell::default();
}

#[derive(Default)]
struct Keeper {
    /// Sessions are recorded: those that are left can be gone back to. Off in frames that show no way to leave one.
    is_on: bool,
    /// The browser's storage may be written to.
    may_store: bool,
    /// The name that the address asks for.
    name: Option<String>,
    /// The lesson with whose machine the session that was taken up began. `None` until that is known.
    resumed: Option<Option<String>>,
    store: Option<Rc<Store>>,
    row: Option<Row>,
    /// What is in the chunk that is being filled.
    chunk: Option<Journal>,
    bytes: usize,
    /// Full chunks that are not written yet.
    full: Vec<(usize, Vec<u8>)>,
    /// Chunks that are full, written or not.
    filled: usize,
    /// Whether anything was typed: an untouched session is not worth a row.
    is_typed: bool,
    is_dirty: bool,
    /// A file came that is too large to be kept.
    is_over: bool,
    /// The browser knows that something is kept.
    is_noted: bool,
    timer: Option<Timeout>,
    /// Locks that are held, and what lets them go.
    locks: Vec<(String, Function)>,
    /// Without a database: the sessions that were left.
    shelf: Vec<(Row, Journal)>,
    /// The session that this one took the place of.
    before: Option<String>,
}

impl Keeper {
    /// Begins a session's record, under a new name or, when it is already kept, its own.
    fn begin(&mut self, journal: &Journal, kept: Option<Row>) {
        if !self.is_on {
            return;
        }
        self.before = self.row.take().filter(|_| self.is_typed).map(|row| row.id);
        let name = self.name.as_ref().map(|name| format!("{name}{NAMED}")).unwrap_or_default();
        let row = kept.unwrap_or_else(|| Row {
            id: format!("{name}{:x}-{:x}", js_sys::Date::now() as u64, (js_sys::Math::random() * 4e9) as u64),
            saved_ms: 0.0,
            chunks: 0,
            commands: 0,
            title: String::new(),
        });
        if self.may_store {
            dom::keep_in_tab(&own_name(self.name.as_deref(), OWN), Some(&row.id));
        }
        self.locks.retain(|(id, release)| {
            let is_own = *id == row.id;
            if !is_own {
                drop(release.call0(&JsValue::NULL));
            }
            is_own
        });
        self.row = Some(row);
        self.hold_lock();
        self.chunk = Some(Journal::new(&journal.config()));
        (self.bytes, self.filled, self.is_typed, self.is_over) = (0, 0, false, false);
        self.full.clear();
        self.append(&journal.inputs, journal.end);
    }

    /// Holds the lock of the own session, once there is a database that tabs could disturb each other in.
    fn hold_lock(&self) {
        if let (Some(row), Some(_), true) = (&self.row, &self.store, self.locks.is_empty()) {
            let id = row.id.clone();
            spawn_local(async move {
                lock(&id).await;
            });
        }
    }

    /// Adds inputs. Behind a file that is too large nothing is added any more.
    fn append(&mut self, new: &[(Timestamp, Input)], end: Timestamp) {
        let Some(chunk) = &mut self.chunk else { return };
        for (time, input) in new {
            let bytes = input.content_bytes() as usize;
            if self.is_over || input.content_bytes() > MAX_CONTENT {
                // Only what came before can be read again.
                self.is_over = true;
                break;
            }
            if chunk.inputs.len() >= CHUNK_INPUTS || self.bytes >= CHUNK_BYTES {
                self.full.push((self.filled, chunk.to_bytes()));
                self.filled += 1;
                self.bytes = 0;
                chunk.inputs.clear();
            }
            self.bytes += bytes;
            self.is_typed |= !matches!(input, Input::Resize { .. });
            chunk.inputs.push((*time, input.clone()));
            chunk.end = *time;
        }
        if !self.is_over {
            chunk.end = chunk.end.max(end);
        }
        self.is_dirty = true;
    }

    /// Writes what is new.
    fn flush(&mut self) {
        self.timer = None;
        let (Some(row), Some(chunk), true) = (&mut self.row, &self.chunk, self.is_dirty && self.is_typed) else {
            return;
        };
        let Some(store) = &self.store else { return };
        row.saved_ms = js_sys::Date::now();
        row.chunks = self.filled + 1;
        self.full.push((self.filled, chunk.to_bytes()));
        if store.put(row, &self.full).is_ok() {
            self.full.clear();
            self.is_dirty = false;
            if !std::mem::replace(&mut self.is_noted, true) {
                dom::keep(KEPT, "1");
            }
        } else {
            // The disk may be full: what is held is tried again with the next key.
            self.full.pop();
        }
    }
}

fn with<T>(act: impl FnOnce(&mut Keeper) -> T) -> Option<T> {
    KEEPER.with(|keeper| keeper.try_borrow_mut().ok().map(|mut keeper| act(&mut keeper)))
}

fn flush() {
    with(Keeper::flush);
}

/// Saves once the rest of the program is there: keys that are typed before that must not wait for it.
fn flush_later() {
    spawn_local(async {
        rest::arrived().await;
        flush();
    });
}

/// Whether a page of this origin ever kept a session.
pub fn is_anything_kept() -> bool {
    dom::kept(KEPT).is_some()
}

/// The name of something in the tab's storage, which frames of other names share.
fn own_name(name: Option<&str>, what: &str) -> String {
    name.map_or_else(|| what.to_owned(), |name| format!("{what}.{name}"))
}

/// Keeps something in the tab, or forgets it, if this page keeps anything.
fn keep_in_tab(what: &str, value: Option<&str>) {
    if let Some(name) = with(|keeper| keeper.may_store.then(|| own_name(keeper.name.as_deref(), what))).flatten() {
        dom::keep_in_tab(&name, value);
    }
}

/// What the tab keeps.
fn kept_in_tab(what: &str) -> Option<String> {
    let name = with(|keeper| keeper.may_store.then(|| own_name(keeper.name.as_deref(), what))).flatten()?;
    dom::kept_in_tab(&name)
}

/// Adds what was typed. Whether something came that is too large to be kept.
pub fn append(new: &[(Timestamp, Input)], journal: &Journal) -> bool {
    let told = with(|keeper| {
        let was_over = keeper.is_over;
        keeper.append(new, journal.end);
        keeper.timer = Some(Timeout::new(SAVE_AFTER_MS, flush_later));
        keeper.is_over && !was_over && keeper.chunk.is_some()
    });
    told.unwrap_or(false)
}

/// Leaves a session and goes on as another one, which begins with `journal`.
pub fn branch(left: &Journal, journal: &Journal) {
    leave(Some(left));
    with(|keeper| keeper.begin(journal, None));
    keep_in_tab(BACK, None);
}

/// Notes how many commands there are, and the last one.
pub fn note(commands: usize, title: String) {
    with(|keeper| {
        if let Some(row) = &mut keeper.row {
            (row.commands, row.title) = (commands, title);
        }
    });
}

/// Notes which moment is looked at, for a reload.
pub fn note_back(at: Option<usize>) {
    keep_in_tab(BACK, at.map(|at| at.to_string()).as_deref());
}

/// Saves what there is when the page breaks, and notes that it did. Runs in the panic hook: it may find anything borrowed.
pub fn save_broken() {
    let count = kept_in_tab(BROKEN).and_then(|count| count.parse().ok()).unwrap_or(0u32);
    keep_in_tab(BROKEN, Some(&count.saturating_add(1).to_string()));
    flush();
}

/// Has the next reload begin anew instead of going on.
pub fn begin_afresh() {
    keep_in_tab(AFRESH, Some("1"));
}

/// Notes the lesson with whose machine the session began, for a reload.
pub fn note_lesson(id: Option<&str>) {
    keep_in_tab(LESSON, id);
}

/// The lesson with whose machine the tab's session began.
pub fn lesson() -> Option<String> {
    kept_in_tab(LESSON)
}

/// Whether the session that was taken up began with the machine of this lesson, which is then to go on with it. `None` as
/// long as that is not known; yes only once.
pub fn takes_up_lesson(id: Option<&str>) -> Option<bool> {
    with(|keeper| {
        let resumed = keeper.resumed.as_mut()?;
        Some(resumed.take().is_some_and(|lesson| Some(lesson.as_str()) == id))
    })
    .unwrap_or(Some(false))
}

/// Writes the running session; without a database it goes on the shelf.
fn leave(journal: Option<&Journal>) {
    with(|keeper| {
        keeper.flush();
        if let (None, Some(row), Some(journal), true) = (&keeper.store, &keeper.row, journal, keeper.is_typed) {
            keeper.shelf.retain(|(kept, _)| kept.id != row.id);
            keeper.shelf.push((Row { saved_ms: js_sys::Date::now(), ..row.clone() }, journal.clone()));
        }
    });
}

fn store() -> Option<Rc<Store>> {
    with(|keeper| keeper.store.clone()).flatten()
}

/// Puts another session in place of the running one, which stays kept.
pub fn replace(session: &Session, journal: Journal, notice: Notice) {
    leave(Some(&session.journal()));
    with(|keeper| keeper.begin(&journal, None));
    flush();
    note_back(None);
    note_lesson(None);
    session.begin(Rc::new(journal), None);
    session.tell_notice(Some(notice));
}

/// Starts anew, as a session of these settings.
pub fn anew(session: &Session, config: &Config) {
    replace(session, Journal::new(config), Notice::Anew);
}

/// Opens what came as a link or a file.
pub fn open_given(session: &Session, given: Result<Journal, CodecError>) {
    match given {
        Ok(journal) => {
            let inputs = journal.inputs.len();
            replace(session, journal, Notice::Opened(inputs));
        }
        Err(error) => session.tell_notice(Some(Notice::Unreadable(error))),
    }
}

/// The sessions that can be gone back to, the last one first.
pub async fn rows() -> Vec<Row> {
    let own = with(|keeper| keeper.row.as_ref().map(|row| row.id.clone())).flatten();
    let mut rows = match store() {
        Some(store) => store.rows().await.unwrap_or_default(),
        None => with(|keeper| keeper.shelf.iter().rev().map(|(row, _)| row.clone()).collect()).unwrap_or_default(),
    };
    let name = with(|keeper| keeper.name.clone()).flatten();
    rows.retain(|row| Some(&row.id) != own.as_ref() && is_named(row, name.as_deref()));
    rows
}

/// Whether a session belongs to the pages whose addresses ask for this name, or for none.
fn is_named(row: &Row, name: Option<&str>) -> bool {
    row.id.rsplit_once(NAMED).map(|(own, _)| own) == name
}

/// The session that the running one took the place of.
pub fn before() -> Option<String> {
    with(|keeper| keeper.before.clone()).flatten()
}

/// Goes back to a kept session. When another tab has it open, goes on with a copy.
pub fn open_row(session: &Session, id: String) {
    let session = session.clone();
    spawn_local(async move {
        leave(Some(&session.journal()));
        let Some(row) = rows().await.into_iter().find(|row| row.id == id) else { return };
        let is_free = lock(&row.id).await != Some(false);
        note_back(None);
        note_lesson(None);
        take_up(&session, row, is_free, 0).await;
    });
}

/// Goes on with a kept session: under its own name if this tab may write to it, else as a copy.
async fn take_up(session: &Session, row: Row, is_own: bool, broken: u32) -> bool {
    let (journal, is_whole) = read(&row).await;
    let Some(mut journal) = journal else {
        session.tell_notice(Some(Notice::Damaged(row)));
        return false;
    };
    let mut notice = if is_whole { Notice::Restored(row.commands) } else { Notice::Damaged(row.clone()) };
    if broken > 0 {
        // What was typed last may break the page again: each time twice as much is left out, up to all of it.
        let mut dropped = 0;
        while dropped < 1 << broken.saturating_sub(1).min(24)
            && let Some((_, input)) = journal.inputs.pop()
        {
            dropped += usize::from(!matches!(input, Input::Resize { .. }));
        }
        journal.end = journal.inputs.last().map_or(journal.epoch, |(time, _)| *time);
        notice = Notice::AfterCrash(dropped);
    }
    let kept = Some(row).filter(|_| is_own && is_whole && broken == 0);
    let back = kept_in_tab(BACK).and_then(|at| at.parse().ok()).filter(|_| kept.is_some());
    with(|keeper| keeper.begin(&journal, kept));
    session.begin(Rc::new(journal), back);
    session.tell_notice(Some(notice));
    true
}

/// A kept session, and whether all of it could be read.
async fn read(row: &Row) -> (Option<Journal>, bool) {
    let shelved = with(|keeper| keeper.shelf.iter().find(|(kept, _)| kept.id == row.id).map(|(_, j)| j.clone()));
    if let Some(journal) = shelved.flatten() {
        return (Some(journal), true);
    }
    let Some(store) = store() else { return (None, false) };
    let mut whole: Option<Journal> = None;
    for bytes in store.chunks(row).await.unwrap_or_default() {
        let Ok(part) = Journal::from_bytes(&bytes) else { return (whole, false) };
        match &mut whole {
            None => whole = Some(part),
            Some(journal) => {
                if !journal.append(part) {
                    return (whole, false);
                }
            }
        }
    }
    let is_whole = whole.is_some();
    (whole, is_whole)
}

/// The bytes of a kept session as they are, for a Capas that can read them.
pub fn download_row(row: &Row) {
    let row = row.clone();
    spawn_local(async move {
        let Some(store) = store() else { return };
        let bytes = store.chunks(&row).await.unwrap_or_default().concat();
        dom::download(&format!("capas-{}.bin", row.id), &bytes);
    });
}

/// Opens the database and whatever the page is to go on with: the link in its address, the tab's own session, or the last
/// one that no other tab has open.
pub fn open(session: &Session) {
    let session = session.clone();
    let options = session.options();
    let may_store = is_kept(options);
    with(|keeper| {
        (keeper.may_store, keeper.is_on) = (may_store, may_store || !options.embedded);
        if let Keep::As(name) = &options.keep {
            keeper.name = Some(name.clone());
        }
        if !may_store {
            keeper.resumed = Some(None);
            keeper.begin(&session.journal(), None);
        }
    });
    if !may_store {
        // As its address says, a session in that address included.
        if let Some(given) = linked(options.embedded) {
            match given {
                Ok(journal) => session.begin(Rc::new(journal), None),
                Err(error) => session.tell_notice(Some(Notice::Unreadable(error))),
            }
        }
        return session.set_opened();
    }
    let is_fresh = !options.commands.is_empty() || kept_in_tab(AFRESH).is_some();
    if is_fresh {
        note_lesson(None);
        keep_in_tab(AFRESH, None);
    }
    // Where nothing was ever kept there is nothing to wait for.
    let is_first = !is_anything_kept() && dom::fragment().is_none();
    if is_first {
        with(|keeper| {
            keeper.resumed = Some(None);
            keeper.begin(&session.journal(), None);
        });
        session.set_opened();
    }
    spawn_local(async move {
        rest::arrived().await;
        // Boxed, so that its steps are functions of their own, which the start of a first visit can do without.
        let part: Pin<Box<dyn Future<Output = ()>>> = Box::pin(take_part(session, is_first, is_fresh));
        part.await;
    });
}

/// Opens the database, and goes on with what is in it unless the page has begun already.
async fn take_part(session: Session, has_begun: bool, is_fresh: bool) {
    let own = kept_in_tab(OWN);
    let opened = open_store().await.map(Rc::new);
    let is_memory = opened.is_none();
    with(|keeper| keeper.store = opened);
    let mut is_told = false;
    let mut link = None;
    if has_begun {
        with(|keeper| {
            keeper.hold_lock();
            keeper.flush();
        });
    } else {
        link = linked(session.options().embedded);
        // A lesson begins with a machine of its own, and commands of the address run on one.
        let asked = dom::parameter("lesson").filter(|id| !id.is_empty());
        let lesson = lesson().filter(|_| own.is_some());
        let is_other = asked.is_some() && asked != lesson;
        let is_given = matches!(link, Some(Ok(_))) || is_other || is_fresh;
        is_told = !is_given && resume(&session, own).await;
        with(|keeper| {
            keeper.resumed = Some(lesson.filter(|_| is_told));
            if keeper.row.is_none() {
                keeper.begin(&session.journal(), None);
            }
        });
    }
    if is_memory && !is_told {
        session.tell_notice(Some(Notice::MemoryOnly));
    }
    if let Some(given) = link {
        open_given(&session, given);
    }
    session.set_opened();
    listen(&session);
    Timeout::new(SOUND_AFTER_MS, || keep_in_tab(BROKEN, None)).forget();
    if let Some(store) = store() {
        let mut old = store.rows().await.unwrap_or_default();
        let name = with(|keeper| keeper.name.clone()).flatten();
        old.retain(|row| is_named(row, name.as_deref()));
        old.iter().skip(MAX_ROWS).for_each(|row| drop(store.delete(&row.id)));
    }
}

/// Whether the page may write to the browser's storage.
fn is_kept(options: &Options) -> bool {
    let is_part = web_sys::window().is_some_and(|window| {
        window.parent().ok().flatten().is_none_or(|parent| !js_sys::Object::is(&parent, &window))
    });
    match &options.keep {
        Keep::Usual => !options.embedded && !options.read_only && !is_part,
        Keep::Not => false,
        Keep::As(_) => true,
    }
}

/// The database, unless the browser has none or does not answer.
async fn open_store() -> Option<Store> {
    let late = Promise::new(&mut |done, _| {
        Timeout::new(OPEN_MS, move || drop(done.call0(&JsValue::NULL))).forget();
    });
    let late = async {
        drop(JsFuture::from(late).await);
        None
    };
    futures_lite::future::or(async { Store::open().await.ok() }, late).await
}

/// The session in the page's address. One that can be read is taken out of it: a reload goes on with what was made of it.
/// Not in frames, which a reload of the page around brings back with the address that it gave them.
fn linked(stays: bool) -> Option<Result<Journal, CodecError>> {
    let link = dom::fragment().filter(|fragment| fragment.starts_with(crate::machine::codec::LINK_KEY))?;
    let given = Journal::from_text(&link);
    if given.is_ok() && !stays {
        dom::drop_fragment();
    }
    Some(given)
}

/// Goes on where the tab, or a tab that is gone, left off.
async fn resume(session: &Session, own: Option<String>) -> bool {
    let Some(store) = store() else { return false };
    let broken = kept_in_tab(BROKEN).and_then(|count| count.parse().ok()).unwrap_or(0);
    let name = with(|keeper| keeper.name.clone()).flatten();
    let mut rows = store.rows().await.unwrap_or_default();
    rows.retain(|row| is_named(row, name.as_deref()));
    if let Some(row) = rows.iter().find(|row| Some(&row.id) == own.as_ref()) {
        // A tab that was duplicated has the name of the other one.
        let is_own = lock(&row.id).await != Some(false);
        return take_up(session, row.clone(), is_own, broken).await;
    }
    for row in rows.into_iter().take(MAX_ROWS) {
        // Without locks nobody knows whether another tab has it.
        if lock(&row.id).await == Some(true) {
            return take_up(session, row, true, broken).await;
        }
    }
    false
}

/// Holds a session's lock from now on, if no tab has it. `None` where the browser has no locks.
async fn lock(id: &str) -> Option<bool> {
    let navigator = web_sys::window()?.navigator();
    let locks = Reflect::get(&navigator, &"locks".into()).ok().filter(JsValue::is_object)?;
    let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
    let options = js_sys::Object::new();
    dom::set(&options, "ifAvailable", &JsValue::TRUE);
    let granted = Promise::new(&mut |tell, _| {
        let name = id.to_owned();
        let granted = Closure::once_into_js(move |lock: JsValue| -> JsValue {
            let is_ours = lock.is_object();
            drop(tell.call1(&JsValue::NULL, &is_ours.into()));
            if !is_ours {
                return JsValue::UNDEFINED;
            }
            // The lock is held until this promise is kept.
            Promise::new(&mut |release, _| {
                with(|keeper| keeper.locks.push((name.clone(), release)));
            })
            .into()
        });
        drop(request.call3(&locks, &format!("capas/{id}").into(), &options, &granted));
    });
    JsFuture::from(granted).await.ok()?.as_bool()
}

/// Saves when the page goes out of sight, and takes links that are put into its address.
fn listen(session: &Session) {
    let Some(window) = web_sys::window() else { return };
    if let Some(document) = dom::document() {
        EventListener::new(&document, "visibilitychange", |_| flush()).forget();
    }
    EventListener::new(&window, "pagehide", |_| flush()).forget();
    let session = session.clone();
    EventListener::new(&window, "hashchange", move |_| {
        if let Some(given) = linked(session.options().embedded) {
            open_given(&session, given);
        }
    })
    .forget();
}
