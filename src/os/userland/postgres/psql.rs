//! `psql`: asks the server and shows tables as PostgreSQL's own client does (`src/fe_utils/print.c`).

use bstr::ByteSlice;

use super::catalog::Table;
use super::wire::{Answer, Stream};
use super::{PORT, SOCKET, Version, sql};
use crate::base::errno::Errno;
use crate::os::kernel::{Disposition, Fd, Proc, Signal};
use crate::os::userland::names::Names;

/// Which server, and as whom; the environment fills in what is missing.
#[derive(Clone, Default)]
pub struct Server {
    /// The server's name or address; the socket without one.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// As whom.
    pub user: Option<String>,
    /// Which database.
    pub database: Option<String>,
    /// The password, instead of that of the environment.
    pub password: Option<String>,
}

/// What the command line asks for.
#[derive(Default)]
struct Options {
    server: Server,
    commands: Vec<String>,
    file: Option<String>,
    lists: bool,
    tuples_only: bool,
    unaligned: bool,
}

/// Reads the options; the error is the program's complaint.
fn options(args: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut positional = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (flag, inline) = match arg.strip_prefix("--").and_then(|long| long.split_once('=')) {
            Some((long, value)) => (format!("--{long}"), Some(value.to_owned())),
            None if arg.len() > 2 && arg.starts_with('-') && !arg.starts_with("--") => {
                let (flag, rest) = arg.split_at_checked(2).unwrap_or((arg, ""));
                if "hpUdcf".contains(flag.trim_start_matches('-')) {
                    (flag.to_owned(), Some(rest.to_owned()))
                } else {
                    // Several letters in one.
                    for letter in arg.trim_start_matches('-').chars() {
                        match letter {
                            't' => options.tuples_only = true,
                            'A' => options.unaligned = true,
                            'l' => options.lists = true,
                            'q' | 'X' => {}
                            other => return Err(format!("invalid option -- '{other}'")),
                        }
                    }
                    continue;
                }
            }
            None => (arg.clone(), None),
        };
        let mut value = || inline.clone().or_else(|| args.next().cloned()).unwrap_or_default();
        match flag.as_str() {
            "-h" | "--host" => options.server.host = Some(value()),
            "-p" | "--port" => options.server.port = value().parse().ok(),
            "-U" | "--username" => options.server.user = Some(value()),
            "-d" | "--dbname" => options.server.database = Some(value()),
            "-c" | "--command" => options.commands.push(value()),
            "-f" | "--file" => options.file = Some(value()),
            "-v" | "--set" | "--variable" => drop(value()),
            "-l" | "--list" => options.lists = true,
            "-t" | "--tuples-only" => options.tuples_only = true,
            "-A" | "--no-align" => options.unaligned = true,
            "-q" | "--quiet" | "-X" | "--no-psqlrc" | "-w" | "--no-password" | "-W" | "--password" => {}
            other if other.starts_with('-') && other.len() > 1 => {
                return Err(match other.strip_prefix("--") {
                    Some(_) => format!("unrecognized option '{other}'"),
                    None => format!("invalid option -- '{}'", other.trim_start_matches('-')),
                });
            }
            other => positional.push(other.to_owned()),
        }
    }
    let mut positional = positional.into_iter();
    options.server.database = options.server.database.or_else(|| positional.next());
    options.server.user = options.server.user.or_else(|| positional.next());
    Ok(options)
}

/// `psql`.
pub async fn main(proc: Proc, args: &[String], version: &Version) -> i32 {
    let options = match options(args) {
        Ok(options) => options,
        Err(why) => {
            proc.eprint(format!("psql: {why}\nTry \"psql --help\" for more information.\n")).await;
            return 1;
        }
    };
    let (fd, server, is_superuser, database) = match connect(&proc, "psql", &options.server, version).await {
        Ok(found) => found,
        Err(why) => {
            proc.eprint(why).await;
            return 2;
        }
    };
    let mut client = Client {
        proc: &proc,
        stream: Stream::new(&proc, fd),
        options: &options,
        failed: false,
        database,
        is_superuser,
    };
    if options.lists {
        return i32::from(client.ask("\\l").await.is_none());
    }
    if !options.commands.is_empty() {
        for command in &options.commands {
            if client.text(command).await.is_none() {
                return 2;
            }
        }
        return i32::from(client.failed);
    }
    if let Some(file) = &options.file {
        let text = match proc.read_file(file.as_bytes()).await {
            Ok(text) => text.to_vec().to_str_lossy().into_owned(),
            Err(error) => {
                proc.eprint(format!("psql: error: {file}: {}\n", error.strerror())).await;
                return 1;
            }
        };
        return if client.text(&text).await.is_some() { 0 } else { 2 };
    }
    if proc.tty_of(0).is_none() {
        let text = proc.read_all(0).await.map(|text| text.to_vec()).unwrap_or_default();
        return if client.text(&text.to_str_lossy()).await.is_some() { 0 } else { 2 };
    }
    let own = format!("psql ({} ({}))", version.number(), version.package());
    let banner = if server == version.number() {
        format!("{own}\n")
    } else {
        format!("psql ({} ({}), server {server})\n", version.number(), version.package())
    };
    let _ = proc.print(format!("{banner}Type \"help\" for help.\n\n")).await;
    client.interact().await
}

/// Connects and introduces itself; the error is what `psql` says.
async fn connect(
    proc: &Proc,
    program: &str,
    wanted: &Server,
    version: &Version,
) -> Result<(Fd, String, bool, String), String> {
    let environment = |name: &str| proc.getenv(name).map(|value| value.to_str_lossy().into_owned());
    let own = Names::load(proc).await.user(proc.cred().uid).to_str_lossy().into_owned();
    let user = wanted.user.clone().or_else(|| environment("PGUSER")).unwrap_or(own);
    let database = wanted.database.clone().or_else(|| environment("PGDATABASE")).unwrap_or_else(|| user.clone());
    let host = wanted.host.clone().or_else(|| environment("PGHOST")).filter(|host| !host.starts_with('/'));
    let port = wanted.port.or_else(|| environment("PGPORT")?.parse().ok()).unwrap_or(PORT);
    let is_new = version.major() >= 14;
    let prefix = if program.is_empty() {
        String::new()
    } else if version.major() >= 12 {
        format!("{program}: error: ")
    } else {
        format!("{program}: ")
    };
    let (address, place) = match &host {
        None => (std::net::Ipv4Addr::LOCALHOST, format!("on socket \"{SOCKET}\"")),
        Some(host) => {
            let found = proc.resolve(host).await.ok().and_then(|found| found.first().copied());
            let Some(address) = found else {
                return Err(format!(
                    "{prefix}could not translate host name \"{host}\" to address: Name or service not known\n"
                ));
            };
            let seen = if *host == address.to_string() { String::new() } else { format!(" ({address})") };
            (address, format!("at \"{host}\"{seen}, port {port}"))
        }
    };
    let failed = |why: &str, hint: &str| {
        if is_new {
            format!("{prefix}connection to server {place} failed: {why}\n{hint}")
        } else {
            format!("{prefix}could not connect to server: {why}\n{hint}")
        }
    };
    if host.is_none() && proc.stat(SOCKET.as_bytes()).is_err() {
        return Err(failed(
            "No such file or directory",
            "\tIs the server running locally and accepting connections on that socket?\n",
        ));
    }
    let mut password = wanted.password.clone().or_else(|| environment("PGPASSWORD")).unwrap_or_default();
    loop {
        let fd = proc.connect((address, port)).await.map_err(|error| {
            let hint = "\tIs the server running on that host and accepting TCP/IP connections?\n";
            failed(error.strerror(), if error == Errno::ECONNREFUSED { hint } else { "" })
        })?;
        let mut stream = Stream::new(proc, fd);
        let gone = || failed("server closed the connection unexpectedly", "");
        let hello = format!("{user}\0{database}\0{password}");
        stream.send(hello.as_bytes()).await.ok_or_else(gone)?;
        match stream.receive().await.and_then(|frame| Answer::decode(&frame)).ok_or_else(gone)? {
            Answer::Ready(server, is_superuser) => return Ok((fd, server, is_superuser, database)),
            Answer::Password => {
                // Only the programs of PostgreSQL ask for it.
                if proc.tty_of(0).is_none() || program.is_empty() {
                    return Err(failed("fe_sendauth: no password supplied", ""));
                }
                password = ask_password(proc, &user).await.ok_or_else(gone)?;
                let _ = proc.close(fd);
            }
            Answer::Error(why) if is_new => return Err(failed(&why, "")),
            Answer::Error(why) => return Err(format!("{prefix}{why}\n")),
            _ => return Err(gone()),
        }
    }
}

async fn ask_password(proc: &Proc, user: &str) -> Option<String> {
    let id = proc.tty_of(0)?;
    let before = proc.termios(id);
    proc.set_termios(id, crate::os::kernel::tty::Termios { echo: false, ..before });
    let _ = proc.print(format!("Password for user {user}: ")).await;
    let typed = proc.read(0, 4096).await;
    proc.set_termios(id, before);
    let _ = proc.print("\n").await;
    let typed = typed.ok()?.to_vec();
    Some(typed.to_str_lossy().trim_end_matches('\n').to_owned())
}

/// What another program asks a server through libpq: a statement, and all that is answered.
///
/// # Errors
/// libpq's or the server's own text.
pub async fn ask(proc: &Proc, server: &Server, statement: &str) -> Result<Vec<Answer>, String> {
    let version = Version("14.1-1.pgdg110+1".to_owned());
    let (fd, ..) = connect(proc, "", server, &version).await.map_err(|why| why.trim_end().to_owned())?;
    let mut stream = Stream::new(proc, fd);
    let mut answers = Vec::new();
    let sent = stream.send(statement.as_bytes()).await;
    let done = loop {
        match stream.receive().await.and_then(|frame| Answer::decode(&frame)) {
            Some(Answer::End) => break Ok(answers),
            Some(Answer::Error(why)) => break Err(why),
            Some(answer) => answers.push(answer),
            None => break Err("server closed the connection unexpectedly".to_owned()),
        }
    };
    let _ = proc.close(fd);
    sent.map_or(Err("server closed the connection unexpectedly".to_owned()), |()| done)
}

/// `createdb`, `dropdb`, `createuser` and `dropuser`: one statement each.
pub async fn wrapper(proc: Proc, called: &str, args: &[String], version: &Version) -> i32 {
    let mut options = match options(args) {
        Ok(options) => options,
        Err(why) => {
            proc.eprint(format!("{called}: {why}\nTry \"{called} --help\" for more information.\n")).await;
            return 1;
        }
    };
    let thing = options.server.database.take().unwrap_or_default();
    options.server.database = Some("postgres".to_owned());
    let statement = match called {
        "createdb" => format!("CREATE DATABASE {}", sql::name(&thing)),
        "dropdb" => format!("DROP DATABASE {}", sql::name(&thing)),
        "createuser" => format!("CREATE ROLE {} LOGIN", sql::name(&thing)),
        _ => format!("DROP ROLE {}", sql::name(&thing)),
    };
    let fd = match connect(&proc, called, &options.server, version).await {
        Ok((fd, ..)) => fd,
        Err(why) => {
            proc.eprint(why).await;
            return 1;
        }
    };
    let mut stream = Stream::new(&proc, fd);
    let _ = stream.send(statement.as_bytes()).await;
    match stream.receive().await.and_then(|frame| Answer::decode(&frame)) {
        Some(Answer::Tag(_)) => 0,
        Some(Answer::Error(why)) => {
            proc.eprint(format!("{called}: error: {why}\n")).await;
            1
        }
        _ => 1,
    }
}

struct Client<'a> {
    proc: &'a Proc,
    stream: Stream<'a>,
    options: &'a Options,
    failed: bool,
    database: String,
    is_superuser: bool,
}

impl Client<'_> {
    /// Sends one statement and shows what comes; `None` when the server is gone.
    async fn ask(&mut self, statement: &str) -> Option<()> {
        self.stream.send(statement.as_bytes()).await?;
        loop {
            let Some(answer) = self.stream.receive().await.and_then(|frame| Answer::decode(&frame)) else {
                self.proc
                    .eprint("server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n\tbefore or while processing the request.\n")
                    .await;
                return None;
            };
            match answer {
                Answer::End => return Some(()),
                Answer::Tag(tag) => self.proc.print(format!("{tag}\n")).await.ok()?,
                Answer::Notice(text) => self.proc.eprint(format!("{text}\n")).await,
                Answer::Error(why) => {
                    self.failed = true;
                    self.proc.eprint(format!("{why}\n")).await;
                }
                Answer::Rows(table) => {
                    let shown = if self.options.unaligned {
                        unaligned(&table, self.options.tuples_only)
                    } else {
                        aligned(&table, self.options.tuples_only)
                    };
                    self.proc.print(shown).await.ok()?;
                }
                Answer::Ready(..) | Answer::Password => {}
            }
        }
    }

    /// Everything in a text: statements and backslash commands, which take a line.
    async fn text(&mut self, text: &str) -> Option<()> {
        let mut pending = String::new();
        for line in text.lines() {
            if pending.trim().is_empty() && line.trim_start().starts_with('\\') {
                if self.backslash(line.trim()).await? {
                    return Some(());
                }
                continue;
            }
            pending.push_str(line);
            pending.push('\n');
            let (done, rest) = sql::statements(&pending);
            for statement in done.iter().filter(|statement| !statement.trim().is_empty()) {
                self.ask(statement).await?;
            }
            pending = rest;
        }
        if pending.trim().is_empty() { Some(()) } else { self.ask(pending.trim_end()).await }
    }

    /// A backslash command; whether it ends the session.
    async fn backslash(&mut self, line: &str) -> Option<bool> {
        let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim().trim_end_matches(';').trim_matches('"');
        match command.trim_end_matches(';').trim_end_matches('+') {
            "\\q" => return Some(true),
            "\\l" | "\\list" => self.ask("\\l").await?,
            "\\du" | "\\dg" => self.ask("\\du").await?,
            "\\dt" => self.ask("\\dt").await?,
            "\\d" if rest.is_empty() => self.ask("\\d").await?,
            "\\d" => self.ask(&format!("\\d {rest}")).await?,
            "\\conninfo" => {
                let text = format!(
                    "You are connected to database \"{}\" via socket in \"/var/run/postgresql\" at port \"{PORT}\".\n",
                    self.database
                );
                self.proc.print(text).await.ok()?;
            }
            "\\echo" => self.proc.print(format!("{rest}\n")).await.ok()?,
            other @ ("\\c" | "\\connect" | "\\?" | "\\h" | "\\i" | "\\dn" | "\\df" | "\\x" | "\\timing"
            | "\\password") => {
                self.failed = true;
                self.proc.eprint(format!("{other} is not simulated in Capas\n")).await;
            }
            other => {
                self.failed = true;
                self.proc.eprint(format!("invalid command {other}\nTry \\? for help.\n")).await;
            }
        }
        Some(false)
    }

    async fn interact(&mut self) -> i32 {
        let mut pending = String::new();
        let mut typed: Vec<u8> = Vec::new();
        let mark = if self.is_superuser { '#' } else { '>' };
        // Ctrl-C drops what is typed.
        self.proc.on_signal(Signal::INT, Disposition::Handle);
        loop {
            let state = if pending.trim().is_empty() { '=' } else { '-' };
            let _ = self.proc.print(format!("{}{state}{mark} ", self.database)).await;
            let line = loop {
                if let Some(at) = typed.find(b"\n") {
                    let line: Vec<u8> = typed.drain(..=at).collect();
                    break line.to_str_lossy().trim_end().to_owned();
                }
                match self.proc.read(0, 4096).await {
                    Ok(more) if !more.is_empty() => typed.extend(more.to_vec()),
                    // End of input.
                    Ok(_) => {
                        let _ = self.proc.print("\\q\n").await;
                        return 0;
                    }
                    Err(Errno::EINTR) => {
                        self.proc.take_signal();
                        (pending, typed) = (String::new(), Vec::new());
                        let _ = self.proc.print(format!("\n{}={mark} ", self.database)).await;
                    }
                    Err(_) => return 2,
                }
            };
            if pending.trim().is_empty() {
                match line.trim() {
                    "" => continue,
                    "exit" | "quit" => return 0,
                    "help" => {
                        let text = "You are using psql, the command-line interface to PostgreSQL.\nType:  \\copyright for distribution terms\n       \\h for help with SQL commands\n       \\? for help with psql commands\n       \\g or terminate with semicolon to execute query\n       \\q to quit\n";
                        let _ = self.proc.print(text).await;
                        continue;
                    }
                    line if line.starts_with('\\') => match self.backslash(line).await {
                        Some(false) => continue,
                        Some(true) => return 0,
                        None => return 2,
                    },
                    _ => {}
                }
            }
            pending.push_str(&line);
            pending.push('\n');
            let (done, rest) = sql::statements(&pending);
            pending = rest;
            for statement in done.iter().filter(|statement| !statement.trim().is_empty()) {
                if self.ask(statement).await.is_none() {
                    return 2;
                }
            }
        }
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// A heading and whether its column stands to the right.
fn heading(column: &str) -> (&str, bool) {
    column.strip_prefix('>').map_or((column, false), |name| (name, true))
}

fn rows(count: usize) -> String {
    format!("({count} row{})\n", if count == 1 { "" } else { "s" })
}

fn unaligned(table: &Table, tuples_only: bool) -> String {
    let mut out = String::new();
    if !tuples_only {
        let names: Vec<&str> = table.columns.iter().map(|column| heading(column).0).collect();
        out.push_str(&format!("{}\n", names.join("|")));
    }
    table.rows.iter().for_each(|row| out.push_str(&format!("{}\n", row.join("|"))));
    if !tuples_only && table.is_counted {
        out.push_str(&rows(table.rows.len()));
    }
    out
}

/// `print_aligned_text` with a border of 1.
fn aligned(table: &Table, tuples_only: bool) -> String {
    let headings: Vec<(&str, bool)> = table.columns.iter().map(|column| heading(column)).collect();
    let longest = |at: usize| {
        let cells = table.rows.iter().filter_map(|row| row.get(at)).flat_map(|cell| cell.lines()).map(width);
        let own = headings.get(at).map_or(0, |(name, _)| width(name));
        cells.max().unwrap_or(0).max(own)
    };
    let widths: Vec<usize> = (0..headings.len()).map(longest).collect();
    let total = widths.iter().sum::<usize>() + (3 * widths.len()).saturating_sub(1);
    let mut out = String::new();
    if !tuples_only {
        if !table.title.is_empty() {
            let before = total.saturating_sub(width(&table.title)) / 2;
            out.push_str(&format!("{}{}\n", " ".repeat(before), table.title));
        }
        let centre = |(at, (name, _)): (usize, &(&str, bool))| {
            let blank = widths.get(at).copied().unwrap_or(0).saturating_sub(width(name));
            format!(" {}{name}{} ", " ".repeat(blank / 2), " ".repeat(blank.div_ceil(2)))
        };
        out.push_str(&headings.iter().enumerate().map(centre).collect::<Vec<_>>().join("|"));
        out.push('\n');
        out.push_str(&widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("+"));
        out.push('\n');
    }
    for row in &table.rows {
        let cells: Vec<Vec<&str>> = row.iter().map(|cell| cell.lines().collect()).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(1).max(1);
        for at in 0..height {
            let mut line = String::new();
            for (column, lines) in cells.iter().enumerate() {
                let text = lines.get(at).copied().unwrap_or_default();
                let blank = " ".repeat(widths.get(column).copied().unwrap_or(0).saturating_sub(width(text)));
                let goes_on = at + 1 < lines.len();
                let is_last = column + 1 == cells.len();
                line.push(' ');
                if headings.get(column).is_some_and(|(_, right)| *right) {
                    line.push_str(&blank);
                    line.push_str(text);
                } else {
                    line.push_str(text);
                    if !is_last || goes_on {
                        line.push_str(&blank);
                    }
                }
                if goes_on {
                    line.push('+');
                } else if !is_last {
                    line.push(' ');
                }
                if !is_last {
                    line.push('|');
                }
            }
            out.push_str(&line);
            out.push('\n');
        }
    }
    if !tuples_only && table.is_counted {
        out.push_str(&rows(table.rows.len()));
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_look_as_psql_draws_them() {
        let table = Table {
            title: "List of databases".to_owned(),
            columns: vec!["Name".to_owned(), "Access privileges".to_owned()],
            rows: vec![
                vec!["postgres".to_owned(), String::new()],
                vec!["template0".to_owned(), "=c/postgres\npostgres=CTc/postgres".to_owned()],
            ],
            is_counted: true,
        };
        assert_eq!(
            aligned(&table, false),
            "         List of databases\n   Name    |   Access privileges   \n-----------+-----------------------\n postgres  | \n template0 | =c/postgres          +\n           | postgres=CTc/postgres\n(2 rows)\n\n"
        );
        let number = Table {
            columns: vec![">?column?".to_owned()],
            rows: vec![vec!["1".to_owned()]],
            is_counted: true,
            ..Table::default()
        };
        assert_eq!(aligned(&number, false), " ?column? \n----------\n        1\n(1 row)\n\n");
        assert_eq!(unaligned(&number, true), "1\n");
    }
}
