//! The machine: the only constructor of a world.
//!
//! Keystrokes and time go in; terminal bytes and events come out. The machine does no input or output of its own and
//! asks no clock, so the seed and the journal of inputs are the whole session: [`Machine::replay`] gives the same bytes.
//!
//! ```
//! use capas::machine::{Config, Machine};
//! let mut machine = Machine::new(Config::default());
//! let console = machine.console();
//! machine.input(console, b"echo hola\r");
//! machine.run(10_000_000);
//! assert!(String::from_utf8_lossy(&machine.take_output(console)).contains("hola"));
//! ```

pub mod bakery;
pub mod browser;
pub mod build_world;
pub mod codec;
pub mod commands;
pub mod content;
pub mod host;
pub mod journal;
pub mod replay;
mod slim;
pub mod trial;
mod units;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::docker::build::{self, world::World};
use crate::docker::capas as guide;
use crate::docker::cli;
use crate::docker::distribution;

use crate::docker::daemon::handle::{Daemon, DaemonConfig};
use crate::docker::image::store::Store;
use crate::docker::registry::Registry;
use crate::os::fs::mounts::Caller;
use crate::os::kernel::desktop::Wish;
pub use crate::os::kernel::history::{Edited, Entered};
use crate::os::kernel::{Gpid, Kernel, Programs};
pub use crate::os::kernel::{Stop, TtyId};

use bakery::Catalogue;
use browser::{Browser, NoPage, Page, Request};
pub use codec::{CodecError, MAX_CONTENT};
pub use commands::{Command, Commands, Moment};
use content::Content;
use host::Host;
pub use journal::{Input, Journal};
pub use replay::Replay;
use units::Units;

/// When the machine's clock starts: the day after the module's images were two months old.
pub const EPOCH: Timestamp = Timestamp::from_date(2021, 12, 20);

/// What a world is made from.
#[derive(Clone, Debug)]
pub struct Config {
    /// Ids and names follow from it.
    pub seed: u64,
    /// When the machine is switched on.
    pub epoch: Timestamp,
    /// Columns of the first terminal.
    pub cols: u16,
    /// Rows of the first terminal.
    pub rows: u16,
    /// `NAME=value` in the environment of the student's shells, such as `DOCKER_BUILDKIT=0`.
    pub env: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { seed: 1, epoch: EPOCH, cols: 80, rows: 24, env: Vec::new() }
    }
}

/// A computer with Docker on it.
pub struct Machine {
    kernel: Kernel,
    host: Host,
    daemon: Daemon,
    builder: World,
    journal: Journal,
    commands: Commands,
    catalogue: Catalogue,
    /// Terminals and the process that keeps a shell on each.
    consoles: BTreeMap<TtyId, Gpid>,
    first: TtyId,
    browser: Browser,
}

/// A prompt that has been silent for this long is done, whatever runs in the background.
const SETTLED: Duration = Duration::from_millis(100);

impl Machine {
    /// Switches a machine on: its shell is started on the first terminal.
    pub fn new(config: Config) -> Self {
        Self::with_catalogue(config, Catalogue::new())
    }

    /// The same, with what other machines found out about the catalogue.
    pub fn with_catalogue(config: Config, catalogue: Catalogue) -> Self {
        let mut programs = Programs::new();
        host::register(&mut programs);
        let kernel = Kernel::new(config.seed, config.epoch, programs.clone());
        let host = Host::new(&kernel, catalogue.host(), config.env.clone());
        let (daemon, builder) = start_daemon(&kernel, &host, &programs, config.seed, &catalogue);
        let mut machine = Self {
            kernel,
            host,
            daemon,
            builder,
            journal: Journal::new(&config),
            commands: Commands::default(),
            consoles: BTreeMap::new(),
            first: TtyId(0),
            browser: Browser::default(),
            catalogue,
        };
        machine.first = machine.add_console(config.cols, config.rows);
        machine
    }

    /// Makes the world that a journal leads to, up to its end. Whoever does not know that it ends takes a [`Replay`].
    pub fn replay(journal: &Journal) -> Self {
        Self::replay_to(journal, Moment { inputs: journal.inputs.len(), until: journal.end })
    }

    /// Makes the world of a moment of a journal. Terminal output is kept for the taking.
    pub fn replay_to(journal: &Journal, moment: Moment) -> Self {
        let mut replay = Replay::new(Rc::new(journal.clone()), moment);
        while !replay.step(1 << 20) {}
        replay.into_machine()
    }

    /// Runs until the clock shows `time`, for at most `fuel` units of work; whether it got there.
    fn run_towards(&mut self, time: Timestamp, fuel: &mut u64) -> bool {
        self.kernel.advance_to(time);
        let arrived = loop {
            if self.kernel.now() >= time && *fuel > 0 {
                break true;
            }
            if *fuel == 0 {
                break false;
            }
            let slice = (*fuel).min(1 << 16);
            let stop = self.kernel.run(slice, Some(time));
            *fuel -= slice;
            if stop != Stop::OutOfFuel {
                break true;
            }
        };
        self.ran();
        arrived
    }

    /// Notes how far the machine ran, and what its shells told.
    fn ran(&mut self) {
        self.journal.end = self.kernel.now();
        let consoles = &self.consoles;
        self.commands.collect(&self.kernel, &self.journal, |tty| consoles.contains_key(&tty));
    }

    /// The terminal that was there from the start.
    pub const fn console(&self) -> TtyId {
        self.first
    }

    /// Opens another terminal with a shell of its own.
    pub fn open_console(&mut self, cols: u16, rows: u16) -> TtyId {
        let (cols, rows) = (cols.clamp(1, codec::MAX_SIDE), rows.clamp(1, codec::MAX_SIDE));
        self.record(Input::OpenConsole { cols, rows });
        self.add_console(cols, rows)
    }

    /// The terminals with their columns and rows, in the order in which they were opened.
    pub fn sizes(&self) -> Vec<(TtyId, u16, u16)> {
        let size = |tty: &TtyId| {
            let size = self.kernel.win_size(*tty);
            (*tty, size.cols, size.rows)
        };
        self.consoles.keys().map(size).collect()
    }

    fn add_console(&mut self, cols: u16, rows: u16) -> TtyId {
        let tty = self.kernel.new_console(cols, rows);
        if let Ok(gpid) = self.host.log_in(&self.kernel, tty) {
            self.consoles.insert(tty, gpid);
        }
        tty
    }

    /// Types bytes into a terminal.
    pub fn input(&mut self, tty: TtyId, bytes: &[u8]) {
        self.record(Input::Type { tty: tty.0, bytes: bytes.to_vec() });
        self.kernel.type_into(tty, bytes);
    }

    /// Sets a terminal's size.
    pub fn resize(&mut self, tty: TtyId, cols: u16, rows: u16) {
        let (cols, rows) = (cols.clamp(1, codec::MAX_SIDE), rows.clamp(1, codec::MAX_SIDE));
        self.record(Input::Resize { tty: tty.0, cols, rows });
        self.kernel.resize(tty, cols, rows);
    }

    /// Puts a file on the host, as if it had been dropped on it; folders on the way are made.
    ///
    /// # Errors
    /// Those of making files: `EISDIR`, `ENOTDIR`, `ENOSPC`.
    pub fn put_file(&mut self, path: &str, content: &[u8]) -> Result<(), Errno> {
        self.put_rope(path, content.into())
    }

    fn put_rope(&mut self, path: &str, content: Rope) -> Result<(), Errno> {
        self.record(Input::PutFile { path: path.to_owned(), content: Content(content.clone()) });
        self.host.put_file(&self.kernel, path, content)
    }

    /// Saves a file of the host as the student, who may not write everywhere.
    ///
    /// # Errors
    /// Those of opening a file to write: `EACCES`, `ENOENT`, `EISDIR`, `ENOSPC`.
    pub fn save_file(&mut self, path: &str, content: impl Into<Rope>) -> Result<(), Errno> {
        let content = content.into();
        self.record(Input::SaveFile { path: path.to_owned(), content: Content(content.clone()) });
        self.host.save_file(&self.kernel, path, &content)
    }

    /// Asks a server for a page, as the student's browser on the host; the number is for [`Self::take_page`].
    pub fn fetch(&mut self, request: Request) -> u32 {
        self.record(Input::Fetch(request.clone()));
        self.browser.ask(&self.kernel, self.host.browser_spec(&self.kernel), request)
    }

    /// Takes the answer to a request, once it is there.
    pub fn take_page(&self, number: u32) -> Option<Result<Page, NoPage>> {
        self.browser.take(number)
    }

    /// Takes what programs asked of the desktop around the machine.
    pub fn take_wishes(&self) -> Vec<Wish> {
        self.kernel.take_wishes()
    }

    /// The content of a file of the host.
    ///
    /// # Errors
    /// Those of a walk.
    pub fn file(&self, path: &str) -> Result<Rope, Errno> {
        self.host.file(path)
    }

    /// Takes an input as it stands in a journal, now.
    pub(crate) fn apply(&mut self, input: Input) {
        match input {
            Input::Type { tty, bytes } => self.input(TtyId(tty), &bytes),
            Input::Resize { tty, cols, rows } => self.resize(TtyId(tty), cols, rows),
            Input::OpenConsole { cols, rows } => {
                self.open_console(cols, rows);
            }
            // What failed in the session fails in its replay.
            Input::PutFile { path, content } => drop(self.put_rope(&path, content.0)),
            Input::SaveFile { path, content } => drop(self.save_file(&path, content.0)),
            Input::Fetch(request) => {
                self.fetch(request);
            }
        }
    }

    fn record(&mut self, input: Input) {
        let now = self.kernel.now();
        self.journal.inputs.push((now, input));
        self.journal.end = now;
    }

    /// Runs what can run, at most `fuel` units of work (about a microsecond each).
    pub fn run(&mut self, fuel: u64) -> Stop {
        let stop = self.kernel.run(fuel, None);
        self.ran();
        stop
    }

    /// Lets time pass up to `time` in the next [`Self::run`].
    pub fn advance_to(&mut self, time: Timestamp) {
        self.kernel.advance_to(time);
    }

    /// The commands so far, in the order in which shells took them.
    pub const fn commands(&self) -> &Commands {
        &self.commands
    }

    /// The time on the machine's clock.
    pub fn now(&self) -> Timestamp {
        self.kernel.now()
    }

    /// Takes what a terminal was sent.
    pub fn take_output(&mut self, tty: TtyId) -> Vec<u8> {
        self.kernel.take_output(tty)
    }

    /// What other machines may share with this one.
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The session so far.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The command lines that shells took so far.
    pub fn entered(&self) -> Vec<Entered> {
        self.kernel.entered()
    }

    /// What was done in editors of the terminal so far.
    pub fn edited(&self) -> Vec<Edited> {
        self.kernel.edited()
    }

    /// How many command lines shells took so far.
    pub fn entered_count(&self) -> usize {
        self.kernel.entered_count()
    }

    /// Whether a command is running in front of a terminal's shell.
    pub fn is_busy(&self, tty: TtyId) -> bool {
        let Some(login) = self.consoles.get(&tty) else { return false };
        !self.kernel.is_at_prompt(tty, *login)
    }

    /// The folder in which the shell of a terminal is.
    pub fn cwd(&self, tty: TtyId) -> bstr::BString {
        let shell = self.kernel.processes(None).into_iter().find(|p| p.tty == Some(tty) && p.exe.ends_with(b"bash"));
        shell.map_or_else(|| host::HOME.into(), |shell| shell.cwd)
    }

    /// Runs, letting time jump, until the shell of `tty` waits for a command, the program in front waits for input and
    /// has been quiet for `quiet`, or `limit` has passed. For scripts and tests; the page lets real time pass instead.
    pub fn settle(&mut self, tty: TtyId, quiet: Duration, limit: Duration) -> Vec<u8> {
        let mut out = Vec::new();
        let (start, mut last_output) = (self.now(), self.now());
        loop {
            let stop = self.run(1 << 16);
            let new = self.take_output(tty);
            if !new.is_empty() {
                last_output = self.now();
                out.extend(new);
                continue;
            }
            let now = self.now();
            if now.since(start) > limit {
                return out;
            }
            match stop {
                // Something computes behind the prompt, perhaps for ever.
                Stop::OutOfFuel if !self.is_busy(tty) && now.since(last_output) > SETTLED => return out,
                Stop::OutOfFuel => {}
                _ if !self.is_busy(tty) => return out,
                Stop::Until(time) if time.since(last_output) <= quiet => self.advance_to(time),
                Stop::Until(_) | Stop::Idle => return out,
            }
        }
    }

    /// The host's files, for whoever draws them.
    pub fn host_files(&self) -> Rc<std::cell::RefCell<crate::os::fs::mounts::Mounts>> {
        self.host.mounts()
    }

    /// The Docker daemon, for pictures of what it holds.
    pub const fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// The builder's world, for foresight.
    pub const fn builder(&self) -> &World {
        &self.builder
    }

    /// The kernel, for views of processes.
    pub const fn kernel(&self) -> &Kernel {
        &self.kernel
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kernel.halt();
    }
}

/// Starts the Docker daemon on the host and installs its client.
fn start_daemon(
    kernel: &Kernel,
    host: &Host,
    programs: &Programs,
    seed: u64,
    catalogue: &Catalogue,
) -> (Daemon, World) {
    let registry = catalogue.registry(programs);
    let store = Rc::new(RefCell::new(Store::new(catalogue.memo().clone())));
    let daemon = Daemon::new(DaemonConfig {
        kernel: kernel.clone(),
        store: Rc::clone(&store),
        registry: Registry::clone(&registry),
        host: host.daemon_spec(kernel),
    });
    let world = build_world::world(build_world::Site {
        kernel: kernel.clone(),
        store,
        registry: Rc::new(move |reference| registry.resolve(reference)),
        net: host.net(),
        is_patient: true,
        seed,
    });
    let (usage, prune) = build_world::cache_of(&world);
    daemon.set_build_cache(usage, prune);
    let builder = world.clone();
    daemon.set_builder(Rc::new(move |request, sink| {
        let world = builder.clone();
        Box::pin(async move { build::build(&world, &request, &sink).await })
    }));

    let client = daemon.clone();
    kernel.add_program("registry", move |proc| Box::pin(distribution::main(proc)));
    kernel.add_program("docker", move |proc| Box::pin(cli::main(proc, client.clone())));
    let client = daemon.clone();
    kernel.add_completer("docker", Rc::new(move |_, words| cli::complete::complete(&client, words)));
    let client = daemon.clone();
    let advise = slim::adviser(world.clone(), host.mounts());
    kernel.add_program("capas", move |proc| Box::pin(guide::main(proc, client.clone(), Rc::clone(&advise))));
    let client = daemon.clone();
    kernel.add_completer("capas", Rc::new(move |_, words| guide::complete(&client, words)));
    let units = Units::start(&daemon, host::DOCKER_GID);
    let own = units.clone();
    kernel.add_program("dockerd", move |proc| Box::pin(units::dockerd(proc, own.clone())));
    kernel.add_program("systemctl", move |proc| Box::pin(units::systemctl(proc, units.clone())));
    (daemon, world)
}

/// Who sets files up on the host.
fn set_up(now: Timestamp) -> Caller {
    Caller { now, ..Caller::root() }
}

#[cfg(test)]
mod tests;
