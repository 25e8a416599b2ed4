//! `apt-get` and `apt` (apt 2.x): update, install, remove, purge, autoremove, upgrade, clean, download sizes and times.

use crate::base::sort::Arrange;
use std::collections::BTreeSet;
use std::time::Duration;

use bstr::ByteSlice;

use super::solve::{self, Plan};
use super::sources::{self, LISTS, Source};
use super::status::{Database, count_files};
use super::unpack::{self, Filter};
use super::{Line, apt_cache, make_dirs, run, text_of};
use crate::base::rope::Rope;
use crate::base::size::{apt_size, apt_time};
use crate::os::args::scan::{Fault, Opt};
use crate::os::args::{flag, long_flag, long_value, value};
use crate::os::fs::node::Kind;
use crate::os::kernel::{Fd, Proc};
use crate::os::userland::packages::{Package, Release};

const OPTIONS: &[Opt] = &[
    flag('y', "yes"),
    long_flag("assume-yes"),
    long_flag("assume-no"),
    flag('q', "quiet"),
    flag('s', "simulate"),
    flag('d', "download-only"),
    flag('f', "fix-broken"),
    flag('m', "ignore-missing"),
    flag('V', "verbose-versions"),
    flag('u', "show-upgraded"),
    long_flag("no-install-recommends"),
    long_flag("no-install-suggests"),
    long_flag("install-recommends"),
    long_flag("purge"),
    long_flag("auto-remove"),
    long_flag("autoremove"),
    long_flag("reinstall"),
    long_flag("only-upgrade"),
    long_flag("allow-unauthenticated"),
    long_flag("allow-downgrades"),
    long_flag("allow-remove-essential"),
    long_flag("allow-change-held-packages"),
    long_flag("allow-releaseinfo-change"),
    long_flag("no-upgrade"),
    long_flag("fix-missing"),
    long_flag("force-yes"),
    long_flag("installed"),
    long_flag("upgradable"),
    flag('a', "all-versions"),
    value('o', "option"),
    value('t', "target-release"),
    long_value("default-release"),
    flag('h', "help"),
    flag('v', "version"),
];

/// Bytes a second on the simulated link.
const RATE: u64 = 10_000_000;
/// The columns apt writes lists of names in when there is no terminal.
const WIDTH: usize = 80;

/// What an operation works on.
pub(super) struct Session {
    pub proc: Proc,
    pub line: Line,
    /// 0 says everything, 2 only what dpkg says.
    quiet: usize,
    on_terminal: bool,
}

/// `apt-get`.
pub async fn main(proc: Proc) -> i32 {
    start(proc, false).await
}

/// `apt`.
pub async fn apt(proc: Proc) -> i32 {
    if proc.tty_of(1).is_none() {
        proc.eprint("\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n").await;
    }
    start(proc, true).await
}

async fn start(proc: Proc, is_apt: bool) -> i32 {
    let line = match Line::read(OPTIONS, &proc.args()) {
        Ok(line) => line,
        Err(fault) => {
            proc.eprint(format!("E: {}\n", option_error(&fault))).await;
            return 100;
        }
    };
    let version = match sources::release(&proc).await.and_then(|release| release.package("apt")) {
        Some(apt) => apt.version,
        None => "2.2.4",
    };
    if line.has("version") || line.has("help") || line.operands.is_empty() {
        let _ = proc.print(format!("apt {version} (amd64)\n")).await;
        if !line.has("version") {
            let _ = proc.print(help(is_apt)).await;
        }
        return i32::from(line.operands.is_empty() && !line.has("help") && !line.has("version"));
    }
    let quiet = match line.value("option") {
        Some("Dpkg::Use-Pty=0") | None => line.count("quiet"),
        Some(_) => line.count("quiet"),
    };
    let on_terminal = proc.tty_of(1).is_some();
    let mut session = Session { proc, line, quiet, on_terminal };
    let operation = session.line.operands.remove(0);
    match operation.as_str() {
        "update" => session.update().await,
        "install" | "reinstall" => session.install(operation == "reinstall").await,
        "remove" => session.remove(session.line.has("purge")).await,
        "purge" => session.remove(true).await,
        "autoremove" | "auto-remove" => session.remove_names(Vec::new(), session.line.has("purge"), true).await,
        "autopurge" => session.remove_names(Vec::new(), true, true).await,
        "upgrade" | "dist-upgrade" | "full-upgrade" => session.upgrade(operation != "upgrade").await,
        "clean" | "autoclean" | "auto-clean" | "distclean" => session.clean().await,
        "check" => {
            session.read_state().await;
            0
        }
        "list" if is_apt => apt_cache::list(&session).await,
        "search" | "show" | "policy" | "depends" if is_apt => {
            apt_cache::operate(&session.proc, &operation, &session.line.operands, true).await
        }
        "source" | "build-dep" | "download" | "changelog" | "satisfy" | "edit-sources" => {
            session.fail(&format!("{operation} is not simulated")).await
        }
        _ => session.fail(&format!("Invalid operation {operation}")).await,
    }
}

fn option_error(fault: &Fault) -> String {
    match fault {
        Fault::UnknownShort(cluster) => {
            let letter = cluster.first().map_or(' ', |byte| char::from(*byte));
            format!("Command line option '{letter}' [from -{cluster}] is not known.")
        }
        Fault::UnknownLong(name) | Fault::BadSyntax(name) => {
            format!("Command line option --{name} is not understood in combination with the other options")
        }
        Fault::ShortNeedsValue(cluster) => format!("Option -{cluster} requires an argument."),
        other => super::fault_text(other),
    }
}

fn help(is_apt: bool) -> &'static str {
    if is_apt {
        "Usage: apt [options] command\n\nMost used commands:\n  list - list packages based on package names\n  search - search in \
         package descriptions\n  show - show package details\n  install - install packages\n  reinstall - reinstall packages\n  \
         remove - remove packages\n  autoremove - Remove automatically all unused packages\n  update - update list of available \
         packages\n  upgrade - upgrade the system by installing/upgrading packages\n  full-upgrade - upgrade the system by \
         removing/installing/upgrading packages\n"
    } else {
        "Usage: apt-get [options] command\n       apt-get [options] install|remove pkg1 [pkg2 ...]\n\nMost used commands:\n  update \
         - Retrieve new lists of packages\n  upgrade - Perform an upgrade\n  install - Install new packages (pkg is libc6 not \
         libc6.deb)\n  reinstall - Reinstall packages (pkg is libc6 not libc6.deb)\n  remove - Remove packages\n  purge - Remove \
         packages and config files\n  autoremove - Remove automatically all unused packages\n  dist-upgrade - Distribution \
         upgrade, see apt-get(8)\n  clean - Erase downloaded archive files\n  autoclean - Erase old downloaded archive files\n"
    }
}

impl Session {
    /// Says something unless it was asked to be quiet.
    async fn say(&self, text: impl AsRef<[u8]>) {
        if self.quiet < 2 {
            let _ = self.proc.print(text).await;
        }
    }

    async fn fail(&self, message: &str) -> i32 {
        self.proc.eprint(format!("E: {message}\n")).await;
        100
    }

    /// `Reading package lists... Done`; without a terminal apt does not say that it is done.
    async fn step(&self, what: &str) {
        self.say(format!("{what}...{}\n", if self.on_terminal { " Done" } else { "" })).await;
    }

    /// Opens the database as apt does before it changes something.
    pub(super) async fn read_state(&self) -> Database {
        self.step("Reading package lists").await;
        self.step("Building dependency tree").await;
        self.step("Reading state information").await;
        Database::load(&self.proc).await
    }

    /// Refuses those who may not change packages.
    async fn lock(&self) -> Result<(), i32> {
        if self.proc.cred().uid == 0 || self.line.has("simulate") {
            return Ok(());
        }
        let path = "/var/lib/dpkg/lock-frontend";
        self.fail(&format!("Could not open lock file {path} - open (13: Permission denied)")).await;
        Err(self.fail(&format!("Unable to acquire the dpkg frontend lock ({path}), are you root?")).await)
    }

    async fn release(&self) -> Result<&'static Release, i32> {
        match sources::release(&self.proc).await {
            Some(release) => Ok(release),
            None => Err(self.fail("The package catalogue has nothing for this system (/etc/os-release)").await),
        }
    }

    async fn pass_time(&self, bytes: u64) {
        let _ = self.proc.sleep(Duration::from_micros(bytes / (RATE / 1_000_000))).await;
    }

    async fn update(&self) -> i32 {
        if self.proc.cred().uid != 0 {
            self.say("Reading package lists...\n").await;
            self.fail(&format!("Could not open lock file {LISTS}/lock - open (13: Permission denied)")).await;
            return self.fail(&format!("Unable to lock directory {LISTS}/")).await;
        }
        let release = match self.release().await {
            Ok(release) => release,
            Err(status) => return status,
        };
        make_dirs(&self.proc, &format!("{LISTS}/partial"));
        let begun = self.proc.now();
        let (mut number, mut fetched, mut failed) = (0, 0, Vec::new());
        for source in sources::sources(&self.proc).await {
            if !is_served(&source, release) {
                failed.push(source);
                continue;
            }
            number += 1;
            fetched += self.update_source(&source, number).await;
        }
        for source in &failed {
            let host = source.host();
            self.say(format!(
                "Err:{} {} {} InRelease\n  Could not resolve '{host}'\n",
                number + 1,
                source.uri,
                source.suite
            ))
            .await;
        }
        if fetched > 0 {
            self.say(self.fetched(fetched, begun)).await;
        }
        self.step("Reading package lists").await;
        for source in &failed {
            let url = format!("{}/dists/{}/InRelease", source.uri.trim_end_matches('/'), source.suite);
            self.proc.eprint(format!("W: Failed to fetch {url}  Could not resolve '{}'\n", source.host())).await;
        }
        if !failed.is_empty() {
            self.proc
                .eprint("W: Some index files failed to download. They have been ignored, or old ones used instead.\n")
                .await;
        }
        if self.on_terminal && !self.line.has("quiet") {
            self.say_upgradable(release).await;
        }
        0
    }

    async fn say_upgradable(&self, _release: &'static Release) {
        if self.proc.args().first().is_some_and(|name| name.ends_with(b"apt")) {
            self.step("Building dependency tree").await;
            self.step("Reading state information").await;
            self.say("All packages are up to date.\n").await;
        }
    }

    fn fetched(&self, bytes: u64, begun: crate::base::time::Timestamp) -> String {
        let seconds = self.proc.now().since(begun).as_secs_f64().max(0.05);
        let rate = apt_size((bytes as f64 / seconds) as u64);
        format!("Fetched {}B in {} ({rate}B/s)\n", apt_size(bytes), apt_time(seconds as u64))
    }

    /// Fetches a source's indexes; how many bytes that were.
    async fn update_source(&self, source: &Source, number: usize) -> u64 {
        let (indexes, day) = (source.indexes(), self.proc.now().rfc3339_nano());
        let day = day.split('T').next().unwrap_or_default();
        let have = |name: &str| self.proc.stat(format!("{LISTS}/{name}").as_bytes()).is_ok();
        if indexes.iter().all(|index| have(&index.name)) {
            self.say(format!("Hit:{number} {} {} InRelease\n", source.uri, source.suite)).await;
            return 0;
        }
        let mut bytes = 0;
        for index in indexes {
            self.pass_time(index.download_bytes).await;
            self.say(format!("Get:{number} {} {} [{}B]\n", source.uri, index.label, apt_size(index.download_bytes)))
                .await;
            bytes += index.download_bytes;
            let path = format!("{LISTS}/{}", index.name);
            if self.proc.write_file(path.as_bytes(), &index.content(day)).await.is_err() {
                self.fail(&format!("Could not write {path}")).await;
            }
        }
        bytes
    }

    async fn install(&mut self, reinstall: bool) -> i32 {
        let database = self.read_state().await;
        if let Err(status) = self.lock().await {
            return status;
        }
        let release = match self.release().await {
            Ok(release) => release,
            Err(status) => return status,
        };
        let offer = sources::offer(&sources::known(&self.proc).await, release);
        let reinstall = reinstall || self.line.has("reinstall");
        // `name-` removes, `name+` installs.
        let words: Vec<String> = self.line.operands.iter().map(|word| word.trim_end_matches('+').to_owned()).collect();
        if let Some(deb) = words.iter().find(|word| word.ends_with(".deb")) {
            return self.fail(&format!("Unsupported file {deb} given on commandline (not simulated)")).await;
        }
        let recommends = !self.line.has("no-install-recommends");
        match solve::install(&words, &database, &offer, release, reinstall, recommends) {
            Ok(plan) => self.carry_out(database, plan, reinstall).await,
            Err(errors) => {
                for error in errors {
                    self.fail(&error.0).await;
                }
                100
            }
        }
    }

    async fn carry_out(&self, mut database: Database, plan: Plan, reinstall: bool) -> i32 {
        for (name, version) in &plan.present {
            self.say(format!("{name} is already the newest version ({version}).\n")).await;
            if database.auto.remove(name) {
                self.say(format!("{name} set to manually installed.\n")).await;
            }
        }
        let upgraded: BTreeSet<&str> =
            plan.install.iter().map(Package::name).filter(|name| database.is_installed(name)).collect();
        let new: Vec<&str> = sorted(plan.install.iter().map(Package::name).filter(|name| !upgraded.contains(name)));
        let additional: Vec<&str> = new.iter().copied().filter(|name| !plan.asked.contains(*name)).collect();
        self.names("The following additional packages will be installed:", &additional).await;
        self.names("The following NEW packages will be installed:", &new).await;
        let again = if reinstall { upgraded.len() } else { 0 };
        let upgrades: Vec<&str> = upgraded.iter().copied().collect();
        if again == 0 {
            self.names("The following packages will be upgraded:", &upgrades).await;
        }
        let reinstalled = if again > 0 { format!(", {again} reinstalled") } else { String::new() };
        self.say(format!(
            "{} upgraded, {} newly installed{reinstalled}, 0 to remove and 0 not upgraded.\n",
            upgraded.len() - again,
            new.len()
        ))
        .await;
        if plan.install.is_empty() {
            let saved = database.save_states(&self.proc).await;
            return i32::from(saved.is_err()) * 100;
        }
        let download: u64 = plan.install.iter().map(Package::download_bytes).sum();
        let space: u64 = plan.install.iter().map(|package| package.installed_kib() * 1024).sum();
        self.say(format!("Need to get {}B of archives.\n", apt_size(download))).await;
        self.say(format!("After this operation, {}B of additional disk space will be used.\n", apt_size(space))).await;
        // apt asks only when it does more than what was typed.
        if !additional.is_empty() && !self.confirm().await {
            return 1;
        }
        if self.line.has("simulate") {
            for package in &plan.install {
                self.say(format!("Inst {} ({} [{}])\n", package.name(), package.version, package.architecture())).await;
            }
            return 0;
        }
        self.download(&plan.install, download).await;
        if self.line.has("download-only") {
            self.say("Download complete and in download only mode\n").await;
            return 0;
        }
        for package in &plan.install {
            if !plan.asked.contains(package.name()) && !upgraded.contains(package.name()) {
                database.auto.insert(package.name().to_owned());
            } else {
                database.auto.remove(package.name());
            }
        }
        self.unpack_all(&mut database, &plan.install).await
    }

    /// `Do you want to continue? [Y/n]`
    async fn confirm(&self) -> bool {
        if self.line.has("yes")
            || self.line.has("assume-yes")
            || self.line.has("force-yes")
            || self.line.has("simulate")
            || self.quiet >= 2
        {
            return true;
        }
        self.say("Do you want to continue? [Y/n] ").await;
        let answer = if self.line.has("assume-no") { "n".to_owned() } else { read_line(&self.proc, 0).await };
        if self.line.has("assume-no") {
            self.say("N\n").await;
        }
        let yes = matches!(answer.trim(), "" | "y" | "Y" | "yes" | "Yes") && !(answer.is_empty());
        if !yes {
            self.say("Abort.\n").await;
        }
        yes
    }

    async fn download(&self, packages: &[Package], total: u64) {
        let begun = self.proc.now();
        let known = sources::known(&self.proc).await;
        make_dirs(&self.proc, "/var/cache/apt/archives/partial");
        for (index, package) in packages.iter().enumerate() {
            let source = known.iter().find(|source| match package.record.origin {
                Some(origin) => source.uri.contains(origin),
                None => source.is_archive(package.release),
            });
            let place = match source {
                Some(source) => {
                    let component = source.components.first().map_or("main", String::as_str);
                    format!("{} {}/{component}", source.uri, source.suite)
                }
                None => "copy:".to_owned(),
            };
            self.pass_time(package.download_bytes()).await;
            self.say(format!(
                "Get:{} {place} amd64 {} {} {} [{}B]\n",
                index + 1,
                package.name(),
                package.architecture(),
                package.version,
                apt_size(package.download_bytes())
            ))
            .await;
            let path = format!("/var/cache/apt/archives/{}", archive_name(package));
            let content = Rope::bulk(package.download_bytes(), package.download_bytes());
            if self.proc.write_file(path.as_bytes(), &content).await.is_err() {
                self.fail(&format!("Write error - {path}")).await;
            }
        }
        self.say(self.fetched(total, begun)).await;
    }

    async fn unpack_all(&self, database: &mut Database, packages: &[Package]) -> i32 {
        if !database.is_installed("apt-utils") && database.is_installed("debconf") {
            self.proc.eprint("debconf: delaying package configuration, since apt-utils is not installed\n").await;
        }
        let filter = Filter::load(&self.proc).await;
        let count = count_files(&self.proc).await;
        let digits = packages.len().saturating_sub(1).to_string().len();
        for (index, package) in packages.iter().enumerate() {
            let (name, old) = (package.info_name(), database.get(package.name()).map(|old| old.version().to_owned()));
            if old.is_none() {
                self.dpkg(format!("Selecting previously unselected package {name}.\n")).await;
            }
            if index == 0 {
                self.dpkg(format!("(Reading database ... {count} files and directories currently installed.)\n")).await;
            }
            let prefix = if packages.len() > 1 { format!("{index:0digits$}-") } else { String::new() };
            self.dpkg(format!("Preparing to unpack .../{prefix}{} ...\n", archive_name(package))).await;
            match &old {
                Some(old) => self.dpkg(format!("Unpacking {name} ({}) over ({old}) ...\n", package.version)).await,
                None => self.dpkg(format!("Unpacking {name} ({}) ...\n", package.version)).await,
            }
            let mut done = unpack::unpack(&self.proc, package, &filter).await;
            if done.is_ok() {
                done = unpack::enter(&self.proc, package).await;
            }
            if let Err(error) = done {
                let deb = format!("/var/cache/apt/archives/{}", archive_name(package));
                self.proc
                    .eprint(format!(
                        "dpkg: error processing archive {deb} (--unpack):\n cannot copy extracted data: {}\n\
                         Errors were encountered while processing:\n {deb}\n",
                        error.strerror()
                    ))
                    .await;
                return self.fail("Sub-process /usr/bin/dpkg returned an error code (1)").await;
            }
            database.add(package);
        }
        if database.save(&self.proc).await.is_err() {
            return self.fail("Could not write to /var/lib/dpkg/status").await;
        }
        let mut failed = Vec::new();
        for package in packages {
            self.dpkg(format!("Setting up {} ({}) ...\n", package.info_name(), package.version)).await;
            let status = unpack::configure(&self.proc, package).await;
            if status != 0 {
                let name = package.name();
                self.proc
                    .eprint(format!(
                        "dpkg: error processing package {name} (--configure):\n installed {name} package post-installation \
                         script subprocess returned error exit status {status}\n"
                    ))
                    .await;
                failed.push(name);
            }
        }
        self.triggers(database, packages).await;
        self.log(packages).await;
        self.clean_up("DPkg::Post-Invoke").await;
        if failed.is_empty() {
            return 0;
        }
        self.proc.eprint(format!("Errors were encountered while processing:\n {}\n", failed.join("\n "))).await;
        self.fail("Sub-process /usr/bin/dpkg returned an error code (1)").await
    }

    /// What dpkg says, which `-qq` does not silence.
    async fn dpkg(&self, text: String) {
        let _ = self.proc.print(text).await;
    }

    /// The triggers whose files were touched.
    async fn triggers(&self, database: &Database, packages: &[Package]) {
        let touches = |prefix: &str| {
            packages.iter().any(|package| package.files().iter().any(|file| file.path.starts_with(prefix)))
        };
        let libraries = touches("/usr/lib/x86_64-linux-gnu/") || touches("/lib/x86_64-linux-gnu/");
        for (name, touched) in [
            ("libc-bin", libraries),
            ("ca-certificates", touches("/usr/share/ca-certificates/")),
            ("man-db", touches("/usr/share/man/")),
        ] {
            if let Some(stanza) = database.get(name).filter(|_| touched) {
                self.dpkg(format!("Processing triggers for {name} ({}) ...\n", stanza.version())).await;
                if name == "ca-certificates" {
                    run(&self.proc, &["update-ca-certificates"]).await;
                }
            }
        }
    }

    /// Notes in the logs what was done.
    async fn log(&self, packages: &[Package]) {
        let civil = self.proc.now().civil();
        let day = format!("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day);
        let time = format!("{:02}:{:02}:{:02}", civil.hour, civil.minute, civil.second);
        let names: Vec<String> =
            packages.iter().map(|package| format!("{}:amd64 ({})", package.name(), package.version)).collect();
        let history = format!(
            "\nStart-Date: {day}  {time}\nCommandline: {}\nInstall: {}\nEnd-Date: {day}  {time}\n",
            bstr::join(" ", self.proc.args()).as_bstr(),
            names.join(", ")
        );
        let lines: String = packages
            .iter()
            .map(|package| {
                let name = format!("{}:{}", package.name(), package.architecture());
                format!("{day} {time} status installed {name} {}\n", package.version)
            })
            .collect();
        for (path, text) in [("/var/log/apt/history.log", history), ("/var/log/dpkg.log", lines)] {
            if let Ok(fd) = self.proc.open(path.as_bytes(), crate::os::kernel::Open::APPEND) {
                // A log that can't be written does not stop the work.
                let _ = self.proc.write(fd, text.as_bytes()).await;
                let _ = self.proc.close(fd);
            }
        }
    }

    /// Runs the commands that the configuration wants after the work.
    async fn clean_up(&self, hook: &str) {
        for entry in self.proc.readdir(b"/etc/apt/apt.conf.d").unwrap_or_default() {
            let text = text_of(&self.proc, &format!("/etc/apt/apt.conf.d/{}", entry.name)).await;
            for line in text.lines().filter_map(|line| line.trim().strip_prefix(hook)) {
                if let Some((_, command)) = line.split_once('"')
                    && let Some((command, _)) = command.rsplit_once('"')
                {
                    run(&self.proc, &["/bin/sh", "-c", command]).await;
                }
            }
        }
    }

    async fn remove(&self, purge: bool) -> i32 {
        let sweep = self.line.has("auto-remove") || self.line.has("autoremove");
        self.remove_names(self.line.operands.clone(), purge, sweep).await
    }

    async fn remove_names(&self, names: Vec<String>, purge: bool, sweep: bool) -> i32 {
        let mut database = self.read_state().await;
        if let Err(status) = self.lock().await {
            return status;
        }
        let mut wanted = Vec::new();
        for name in &names {
            let known = database.stanzas.get(name.as_str());
            match known {
                Some(stanza) if stanza.is_installed() || purge => wanted.push(name.clone()),
                _ => {
                    let listed =
                        sources::release(&self.proc).await.is_some_and(|release| release.package(name).is_some());
                    if !listed && known.is_none() {
                        return self.fail(&format!("Unable to locate package {name}")).await;
                    }
                    self.say(format!("Package '{name}' is not installed, so not removed\n")).await;
                }
            }
        }
        let mut gone = solve::dependants(&database, &wanted);
        let mut orphans = solve::orphans(&database, &gone);
        if sweep {
            gone.append(&mut orphans);
        }
        let essential =
            |name: &&String| database.get(name).is_some_and(|stanza| stanza.field("Essential") == Some("yes"));
        if gone.iter().any(|name| essential(&name)) && !self.line.has("allow-remove-essential") {
            let essentials: Vec<&str> = gone.iter().filter(essential).map(String::as_str).collect();
            self.names(
                "WARNING: The following essential packages will be removed.\nThis should NOT be done unless you know exactly what you are doing!",
                &essentials,
            )
            .await;
            return self
                .fail("Essential packages were removed and -y was used without --allow-remove-essential.")
                .await;
        }
        let idle: Vec<&str> = orphans.iter().map(String::as_str).collect();
        if !sweep && !idle.is_empty() {
            let verb = if idle.len() == 1 { "package was" } else { "packages were" };
            self.names(&format!("The following {verb} automatically installed and is no longer required:"), &idle)
                .await;
            self.say("Use 'apt autoremove' to remove them.\n").await;
        }
        let left: Vec<String> = wanted.iter().filter(|name| purge && !database.is_installed(name)).cloned().collect();
        let mark = if purge { "*" } else { "" };
        let listed: Vec<String> = gone.iter().chain(&left).map(|name| format!("{name}{mark}")).collect();
        let listed: Vec<&str> = sorted(listed.iter().map(String::as_str));
        self.names("The following packages will be REMOVED:", &listed).await;
        self.say(format!("0 upgraded, 0 newly installed, {} to remove and 0 not upgraded.\n", listed.len())).await;
        if listed.is_empty() {
            return 0;
        }
        let kib: u64 =
            gone.iter().filter_map(|name| database.get(name)?.field("Installed-Size")?.parse::<u64>().ok()).sum();
        self.say(format!("After this operation, {}B disk space will be freed.\n", apt_size(kib * 1024))).await;
        if !self.confirm().await {
            return 1;
        }
        if self.line.has("simulate") {
            for name in &listed {
                self.say(format!("Remv {}\n", name.trim_end_matches('*'))).await;
            }
            return 0;
        }
        self.take_out(&mut database, &gone, &left, purge).await
    }

    async fn take_out(&self, database: &mut Database, gone: &BTreeSet<String>, left: &[String], purge: bool) -> i32 {
        let count = count_files(&self.proc).await;
        self.dpkg(format!("(Reading database ... {count} files and directories currently installed.)\n")).await;
        for name in gone.iter().rev() {
            let Some(stanza) = database.get(name).cloned() else { continue };
            self.dpkg(format!("Removing {} ({}) ...\n", stanza.info_name(), stanza.version())).await;
            unpack::remove(&self.proc, &stanza.info_name(), purge).await;
            let listed =
                self.proc.stat(format!("{}/{}.list", super::status::INFO, stanza.info_name()).as_bytes()).is_ok();
            if listed {
                database.keep_configuration(name);
            } else {
                database.stanzas.remove(name);
            }
            database.auto.remove(name);
            self.proc.tick().await;
        }
        if gone.iter().any(|name| name.starts_with("lib"))
            && let Some(libc) = database.get("libc-bin")
        {
            self.dpkg(format!("Processing triggers for libc-bin ({}) ...\n", libc.version())).await;
        }
        for name in left {
            let Some(stanza) = database.stanzas.remove(name) else { continue };
            self.dpkg(format!("Purging configuration files for {name} ({}) ...\n", stanza.version())).await;
            unpack::remove(&self.proc, &stanza.info_name(), true).await;
        }
        if database.save(&self.proc).await.is_err() {
            return self.fail("Could not write to /var/lib/dpkg/status").await;
        }
        self.clean_up("DPkg::Post-Invoke").await;
        0
    }

    async fn upgrade(&self, _full: bool) -> i32 {
        let database = self.read_state().await;
        if let Err(status) = self.lock().await {
            return status;
        }
        self.step("Calculating upgrade").await;
        let release = match self.release().await {
            Ok(release) => release,
            Err(status) => return status,
        };
        let offer = sources::offer(&sources::known(&self.proc).await, release);
        let newer = |stanza: &super::status::Stanza| -> Option<String> {
            let newest = offer.candidates(release, stanza.name()).into_iter().next()?;
            let order = crate::os::userland::packages::compare_versions(newest.version, stanza.version());
            order.is_gt().then(|| stanza.name().to_owned())
        };
        let words: Vec<String> = database.installed().filter_map(newer).collect();
        match solve::install(&words, &database, &offer, release, false, true) {
            Ok(plan) => self.carry_out(database, plan, false).await,
            Err(_) => 100,
        }
    }

    async fn clean(&self) -> i32 {
        if let Err(status) = self.lock().await {
            return status;
        }
        for dir in ["/var/cache/apt/archives", "/var/cache/apt/archives/partial"] {
            for entry in self.proc.readdir(dir.as_bytes()).unwrap_or_default() {
                if entry.kind == Kind::File && entry.name.ends_with(b".deb") {
                    let _ = self.proc.unlink(format!("{dir}/{}", entry.name).as_bytes());
                }
            }
        }
        0
    }

    /// A heading and names below it, broken into lines as apt breaks them.
    async fn names(&self, heading: &str, names: &[&str]) {
        if names.is_empty() {
            return;
        }
        let width = match self.proc.tty_of(1) {
            Some(tty) => usize::from(self.proc.win_size(tty).cols),
            None => WIDTH,
        };
        let room = width.max(8) - 3;
        let (mut text, mut used) = (format!("{heading}\n "), 1);
        for name in names {
            if used > 1 && used + name.len() + 1 > room {
                text.push_str("\n ");
                used = 1;
            }
            text.push(' ');
            text.push_str(name);
            used += name.len() + 1;
        }
        text.push('\n');
        self.say(text).await;
    }
}

/// Whether the simulated network has this source: the archives and the repositories of the catalogue.
fn is_served(source: &Source, release: &'static Release) -> bool {
    let host = source.host();
    host.ends_with("debian.org")
        || host.ends_with("ubuntu.com")
        || release.origins().split(' ').any(|origin| !origin.is_empty() && host.ends_with(origin))
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.collect();
    names.arrange();
    names
}

/// The name of a package's archive, with its epoch's colon written as apt does.
fn archive_name(package: &Package) -> String {
    format!("{}_{}_{}.deb", package.name(), package.version.replace(':', "%3a"), package.architecture())
}

/// A line of input, with its end; empty at the end of input.
async fn read_line(proc: &Proc, fd: Fd) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") && line.len() < 4096 {
        match proc.read(fd, 1).await {
            Ok(byte) if !byte.is_empty() => line.extend(byte.to_vec()),
            _ => break,
        }
    }
    String::from_utf8_lossy(&line).into_owned()
}
