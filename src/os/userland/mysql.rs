//! MySQL and MariaDB: a server that knows databases and accounts, and its clients `mysql` and `mysqladmin`.
//!
//! The data directory holds a folder a database, as the real one does, and the accounts in `mysql/user.MYD`, in a form of
//! their own. Tables are not simulated and are refused by name. Client and server exchange lines; an empty line ends an
//! answer.

use std::net::Ipv4Addr;
use std::time::Duration;

use bstr::ByteSlice;

use super::date::strftime;
use super::serve_each::serve_each;
use crate::base::errno::Errno;
use crate::base::sort::Arrange;
use crate::os::fs::node::Content;
use crate::os::kernel::exec::{HEAD_BYTES, version};
use crate::os::kernel::{Disposition, Fd, Proc, Signal, Task};

const PORT: u16 = 3306;
const DATA: &str = "/var/lib/mysql";
const SOCKET: &str = "/var/run/mysqld/mysqld.sock";
/// Databases that the server itself has.
const OWN: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];
/// Bytes of a request.
const MAX_LINE: usize = 1 << 16;
/// Bytes of the first files of InnoDB.
const SYSTEM_BYTES: u64 = 12 << 20;
const LOG_BYTES: u64 = 48 << 20;

async fn own_version(proc: &Proc) -> String {
    let head = match proc.read_file(b"/proc/self/exe").await {
        Ok(file) => file.head(HEAD_BYTES).to_vec(),
        Err(_) => Vec::new(),
    };
    version(&head).unwrap_or_else(|| "8.0.27".to_owned())
}

fn words_of(proc: &Proc) -> Vec<String> {
    proc.args().iter().skip(1).map(|arg| arg.to_str_lossy().into_owned()).collect()
}

/// A line of the server's log in the words of its version.
fn line(proc: &Proc, number: &str, code: &str, text: &str) -> String {
    let time = strftime("%Y-%m-%dT%H:%M:%S", proc.now());
    let micros = proc.now().civil().nanosecond / 1000;
    if number.starts_with("10.") {
        format!("{} 0 [Note] {text}\n", strftime("%Y-%m-%d %k:%M:%S", proc.now()))
    } else if number.starts_with("5.") {
        format!("{time}.{micros:06}Z 0 [Note] {text}\n")
    } else {
        format!("{time}.{micros:06}Z 0 [System] [{code}] [Server] {text}\n")
    }
}

/// `mysqld`.
pub async fn server(proc: Proc) -> i32 {
    let args = words_of(&proc);
    let number = own_version(&proc).await;
    if args.iter().any(|arg| arg == "--version" || arg == "-V") {
        let text = format!("mysqld  Ver {number} for Linux on x86_64 (MySQL Community Server (GPL))\n");
        return i32::from(proc.print(text).await.is_err());
    }
    if args.iter().any(|arg| arg.starts_with("--initialize")) {
        return initialize(&proc, &number).await;
    }
    if proc.cred().uid == 0 && !args.iter().any(|arg| arg.starts_with("--user=")) {
        proc.eprint(line(
            &proc,
            &number,
            "MY-010123",
            "Fatal error: Please read \"Security\" section of the manual to find out how to run mysqld as root!",
        ))
        .await;
        return 1;
    }
    if proc.stat(format!("{DATA}/mysql/user.MYD").as_bytes()).is_err() {
        proc.eprint(line(
            &proc,
            &number,
            "MY-010457",
            "Can't open the mysql.user table. Please run mysqld --initialize",
        ))
        .await;
        return 1;
    }
    let starting = format!("mysqld (mysqld {number}) starting as process {} ...", proc.pid());
    proc.eprint(line(&proc, &number, "MY-010116", &starting)).await;
    let is_alone = args.iter().any(|arg| arg == "--skip-networking");
    let address = if is_alone { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
    if let Err(error) = proc.listen(address, PORT) {
        let why = format!("Can't start server: Bind on TCP/IP port: {}", error.strerror());
        proc.eprint(line(&proc, &number, "MY-010262", &why)).await;
        return 1;
    }
    let _ = proc.unlink(SOCKET.as_bytes());
    let _ = proc.mknod(SOCKET.as_bytes(), 0o777, Content::Socket);
    for signal in [Signal::TERM, Signal::QUIT, Signal::CHLD] {
        proc.on_signal(signal, Disposition::Handle);
    }
    proc.on_signal(Signal::INT, Disposition::Ignore);
    let _ = proc.sleep(Duration::from_millis(600)).await;
    let port = if is_alone { 0 } else { PORT };
    let build =
        if number.starts_with("10.") { "mariadb.org binary distribution" } else { "MySQL Community Server (GPL)" };
    let ready =
        format!("mysqld: ready for connections.\nVersion: '{number}'  socket: '{SOCKET}'  port: {port}  {build}");
    let ready = if number.starts_with("8.") {
        ready.replace(".\nVersion", ". Version").replace("mysqld: ", "/usr/sbin/mysqld: ")
    } else {
        ready
    };
    proc.eprint(line(&proc, &number, "MY-010931", &ready)).await;
    let connection = |child, fd, peer| -> Task { Box::pin(serve(child, fd, peer, number.clone())) };
    if serve_each(&proc, &[PORT], &[Signal::TERM, Signal::QUIT], connection).await.is_none() {
        return 1;
    }
    proc.eprint(line(
        &proc,
        &number,
        "MY-013172",
        "Received SHUTDOWN from user <via user signal>. Shutting down mysqld",
    ))
    .await;
    let _ = proc.sleep(Duration::from_millis(300)).await;
    let _ = proc.unlink(SOCKET.as_bytes());
    proc.eprint(line(&proc, &number, "MY-010910", "mysqld: Shutdown complete")).await;
    0
}

async fn initialize(proc: &Proc, number: &str) -> i32 {
    let is_empty =
        proc.readdir(DATA.as_bytes()).is_ok_and(|entries| entries.iter().all(|e| e.name == "." || e.name == ".."));
    if !is_empty {
        let why = "--initialize specified but the data directory has files in it. Aborting.";
        proc.eprint(line(proc, number, "MY-010457", why)).await;
        return 1;
    }
    for folder in ["mysql", "performance_schema", "sys"] {
        let _ = proc.mkdir(format!("{DATA}/{folder}").as_bytes(), 0o750);
    }
    use crate::base::rope::Rope;
    let files: [(&str, Rope); 5] = [
        ("ibdata1", Rope::bulk(1, SYSTEM_BYTES)),
        ("ib_logfile0", Rope::bulk(2, LOG_BYTES)),
        ("ib_logfile1", Rope::bulk(3, LOG_BYTES)),
        ("auto.cnf", "[auto]\nserver-uuid=00000000-0000-0000-0000-000000000001\n".into()),
        ("mysql/user.MYD", "root\tlocalhost\t\n".into()),
    ];
    for (name, content) in files {
        if let Err(error) = proc.write_file(format!("{DATA}/{name}").as_bytes(), &content).await {
            proc.eprint(line(proc, number, "MY-012592", &format!("Cannot write {DATA}/{name}: {}", error.strerror())))
                .await;
            return 1;
        }
    }
    let _ = proc.sleep(Duration::from_secs(2)).await;
    let warning = "root@localhost is created with an empty password ! Please consider switching off the --initialize-insecure option.";
    proc.eprint(
        line(proc, number, "MY-010453", warning).replace("[Note]", "[Warning]").replace("[System]", "[Warning]"),
    )
    .await;
    0
}

/// Who may connect: name, host, password.
async fn accounts(proc: &Proc) -> Vec<[String; 3]> {
    let text = proc.read_file(format!("{DATA}/mysql/user.MYD").as_bytes()).await;
    let text = text.map(|text| text.to_vec()).unwrap_or_default().to_str_lossy().into_owned();
    let read = |line: &str| {
        let mut fields = line.split('\t').map(ToOwned::to_owned);
        Some([fields.next()?, fields.next()?, fields.next()?])
    };
    text.lines().filter_map(read).collect()
}

/// One client.
async fn serve(proc: Proc, fd: Fd, peer: String, number: String) -> i32 {
    for signal in [Signal::TERM, Signal::QUIT] {
        proc.on_signal(signal, Disposition::Default);
    }
    let mut lines = Lines { fd, bytes: Vec::new() };
    let _ = proc.write(fd, format!("{number}\n").as_bytes()).await;
    let Some(hello) = lines.next(&proc).await else { return 0 };
    let mut fields = hello.split('\t').map(ToOwned::to_owned);
    let (user, password) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
    let (database, local) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default() == "socket");
    let from = if local { "localhost" } else { peer.rsplit_once(':').map_or(peer.as_str(), |(host, _)| host) };
    let known = accounts(&proc).await.into_iter().any(|[name, host, own]| {
        name == user && own == password && (host == "%" || host == from || (local && host == "localhost"))
    });
    if !known {
        let used = if password.is_empty() { "NO" } else { "YES" };
        let why = format!("ERROR 1045 (28000): Access denied for user '{user}'@'{from}' (using password: {used})\n\n");
        let _ = proc.write(fd, why.as_bytes()).await;
        return 0;
    }
    let mut current = String::new();
    if !database.is_empty()
        && let Err(why) = take(&proc, &database, &mut current)
    {
        let _ = proc.write(fd, format!("{why}\n\n").as_bytes()).await;
        return 0;
    }
    let _ = proc.write(fd, b"OK\n\n").await;
    while let Some(statement) = lines.next(&proc).await {
        let answer = run(&proc, &statement, &number, &user, &mut current).await.unwrap_or_else(|why| why);
        if proc.write(fd, format!("{answer}\n\n").as_bytes()).await.is_err() {
            break;
        }
    }
    0
}

fn databases(proc: &Proc) -> Vec<String> {
    let entries = proc.readdir(DATA.as_bytes()).unwrap_or_default();
    let mut names: Vec<String> = entries.iter().map(|entry| entry.name.to_str_lossy().into_owned()).collect();
    names.retain(|name| {
        !name.starts_with('.') && proc.stat(format!("{DATA}/{name}").as_bytes()).is_ok_and(|s| s.is_dir())
    });
    names.push(OWN[0].to_owned());
    names.arrange();
    names
}

fn take(proc: &Proc, database: &str, current: &mut String) -> Result<String, String> {
    if databases(proc).iter().any(|known| known == database) {
        database.clone_into(current);
        Ok("Database changed".to_owned())
    } else {
        Err(format!("ERROR 1049 (42000): Unknown database '{database}'"))
    }
}

/// One statement. Rows begin with a tab.
async fn run(proc: &Proc, statement: &str, number: &str, user: &str, current: &mut String) -> Result<String, String> {
    let words: Vec<String> = statement.split_whitespace().map(|word| word.trim_end_matches(';').to_owned()).collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let bare = |text: &str| text.trim_matches(['`', '\'', '"']).to_owned();
    let rows = |heading: &str, values: Vec<String>| format!("\t{heading}\n\t{}", values.join("\n\t"));
    let done = |count: usize| format!("Query OK, {count} row{} affected (0.01 sec)", if count == 1 { "" } else { "s" });
    let keywords: Vec<&str> = lower.iter().map(String::as_str).collect();
    match keywords.as_slice() {
        ["show", "databases" | "schemas"] => Ok(rows("Database", databases(proc))),
        ["show", "tables"] if current.is_empty() => Err("ERROR 1046 (3D000): No database selected".to_owned()),
        ["show", "tables"] => Ok("Empty set (0.00 sec)".to_owned()),
        ["use", _] => take(proc, &bare(words.get(1).map_or("", String::as_str)), current),
        ["select", "version()"] => Ok(rows("version()", vec![number.to_owned()])),
        ["select", "database()"] => {
            Ok(rows("database()", vec![if current.is_empty() { "NULL".to_owned() } else { current.clone() }]))
        }
        ["select", "user()"] => Ok(rows("user()", vec![format!("{user}@localhost")])),
        ["select", value] if value.parse::<i64>().is_ok() => Ok(rows(value, vec![(*value).to_owned()])),
        ["select", "user,host", "from", "mysql.user"]
        | ["select", "host,user", "from", "mysql.user"]
        | ["select", "user,", "host", "from", "mysql.user"] => {
            let known = accounts(proc).await.into_iter().map(|[name, host, _]| format!("{name}\t{host}")).collect();
            Ok(rows("user\thost", known))
        }
        ["create", "database" | "schema", rest @ ..] => {
            let lenient = rest.starts_with(&["if", "not", "exists"]);
            let name = bare(words.get(if lenient { 5 } else { 2 }).map_or("", String::as_str));
            match proc.mkdir(format!("{DATA}/{name}").as_bytes(), 0o750) {
                Ok(()) => Ok(done(1)),
                Err(_) if lenient => Ok(done(1)),
                Err(_) => Err(format!("ERROR 1007 (HY000): Can't create database '{name}'; database exists")),
            }
        }
        ["drop", "database" | "schema", ..] => {
            let name = bare(words.last().map_or("", String::as_str));
            if OWN.contains(&name.as_str()) {
                return Err(format!("ERROR 3552 (HY000): Access to system schema '{name}' is rejected."));
            }
            let gone = proc.rmdir(format!("{DATA}/{name}").as_bytes());
            gone.map(|()| done(0))
                .map_err(|_| format!("ERROR 1008 (HY000): Can't drop database '{name}'; database doesn't exist"))
        }
        ["create" | "alter", "user", ..] => {
            let account = words
                .iter()
                .find(|word| word.contains('@'))
                .cloned()
                .unwrap_or_else(|| format!("{}@%", words.get(2).map_or("", String::as_str)));
            let (name, host) = account.split_once('@').unwrap_or((&account, "%"));
            let by = lower.iter().position(|word| word == "by").and_then(|at| words.get(at + 1));
            let own = [bare(name), bare(host), by.map(|word| bare(word)).unwrap_or_default()];
            let mut all = accounts(proc).await;
            all.retain(|known| known.first() != own.first() || known.get(1) != own.get(1));
            all.push(own);
            let text: String = all.iter().map(|fields| format!("{}\n", fields.join("\t"))).collect();
            let written = proc.write_file(format!("{DATA}/mysql/user.MYD").as_bytes(), &text.as_str().into()).await;
            written
                .map(|()| done(0))
                .map_err(|error| format!("ERROR 3 (HY000): Error writing file: {}", error.strerror()))
        }
        // Rights are not told apart: who has an account may use every database.
        ["grant" | "revoke" | "flush", ..] => Ok(done(0)),
        [
            first @ ("create" | "insert" | "select" | "update" | "delete" | "drop" | "alter" | "show" | "describe"
            | "desc" | "source" | "set"),
            ..,
        ] => Err(format!("ERROR: {} of this kind is not simulated in Capas", first.to_uppercase())),
        _ => Err(format!(
            "ERROR 1064 (42000): You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '{statement}' at line 1"
        )),
    }
}

/// Lines of a connection.
struct Lines {
    fd: Fd,
    bytes: Vec<u8>,
}

impl Lines {
    async fn next(&mut self, proc: &Proc) -> Option<String> {
        loop {
            if let Some(at) = self.bytes.find(b"\n") {
                let line: Vec<u8> = self.bytes.drain(..=at).collect();
                return Some(line.to_str_lossy().trim_end_matches('\n').to_owned());
            }
            let more = proc.read(self.fd, 1 << 16).await.ok()?;
            if more.is_empty() || self.bytes.len() > MAX_LINE {
                return None;
            }
            self.bytes.extend(more.to_vec());
        }
    }

    /// The lines up to an empty one.
    async fn answer(&mut self, proc: &Proc) -> Option<String> {
        let mut lines = Vec::new();
        loop {
            match self.next(proc).await? {
                line if line.is_empty() => return Some(lines.join("\n")),
                line => lines.push(line),
            }
        }
    }
}

/// An open connection that a server has admitted.
pub struct Connection {
    lines: Lines,
    /// The server's version.
    pub version: String,
}

impl Connection {
    /// Connects; the error is what the client says. Without a host it goes through the socket.
    ///
    /// # Errors
    /// MySQL's own text.
    pub async fn open(
        proc: &Proc,
        host: Option<&str>,
        user: &str,
        password: &str,
        database: &str,
    ) -> Result<Self, String> {
        let (address, how) = match host {
            None if proc.stat(SOCKET.as_bytes()).is_err() => {
                return Err(format!(
                    "ERROR 2002 (HY000): Can't connect to local MySQL server through socket '{SOCKET}' (2)"
                ));
            }
            None => (Ipv4Addr::LOCALHOST, "socket"),
            Some(host) => {
                let found = proc.resolve(host).await.ok().and_then(|found| found.first().copied());
                (found.ok_or(format!("ERROR 2005 (HY000): Unknown MySQL server host '{host}' (-2)"))?, "network")
            }
        };
        let refused = |number: i32| {
            format!(
                "ERROR 2003 (HY000): Can't connect to MySQL server on '{}:{PORT}' ({number})",
                host.unwrap_or("localhost")
            )
        };
        let fd = proc
            .connect((address, PORT))
            .await
            .map_err(|error| refused(if error == Errno::ECONNREFUSED { 111 } else { 113 }))?;
        let mut lines = Lines { fd, bytes: Vec::new() };
        let version = lines.next(proc).await.ok_or_else(|| refused(104))?;
        let _ = proc.write(fd, format!("{user}\t{password}\t{database}\t{how}\n").as_bytes()).await;
        match lines.answer(proc).await.as_deref() {
            Some("OK") => Ok(Self { lines, version }),
            Some(why) => Err(why.to_owned()),
            None => Err(refused(104)),
        }
    }

    /// Asks one statement.
    pub async fn ask(&mut self, proc: &Proc, statement: &str) -> Option<String> {
        let one = statement.replace('\n', " ");
        proc.write(self.lines.fd, format!("{}\n", one.trim()).as_bytes()).await.ok()?;
        self.lines.answer(proc).await
    }
}

/// What the command line of a client tells: host, user, password, database, statement, the rest.
#[derive(Default)]
struct Asked {
    host: Option<String>,
    user: String,
    password: Option<String>,
    asks: bool,
    statement: Option<String>,
    rest: Vec<String>,
}

fn asked(args: &[String]) -> Asked {
    let mut asked = Asked { user: "root".to_owned(), ..Asked::default() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let long = |name: &str| arg.strip_prefix(name).map(ToOwned::to_owned);
        let mut short = |name: &str| match arg.strip_prefix(name) {
            Some("") if name != "-p" => args.next().cloned(),
            rest => rest.map(ToOwned::to_owned),
        };
        if let Some(value) = long("--host=").or_else(|| short("-h")) {
            asked.host = Some(value).filter(|host| host != "localhost");
        } else if let Some(value) = long("--user=").or_else(|| short("-u")) {
            asked.user = value;
        } else if let Some(value) = long("--password=") {
            asked.password = Some(value);
        } else if arg == "-p" || arg == "--password" {
            asked.asks = true;
        } else if let Some(value) = long("--execute=").or_else(|| short("-e")) {
            asked.statement = Some(value);
        } else if let Some(value) = short("-p") {
            asked.password = Some(value);
        } else if !arg.starts_with('-') {
            asked.rest.push(arg.clone());
        }
    }
    asked
}

async fn password(proc: &Proc, asked: &Asked) -> String {
    if let Some(password) = &asked.password {
        proc.eprint("mysql: [Warning] Using a password on the command line interface can be insecure.\n").await;
        return password.clone();
    }
    if let (true, Some(id)) = (asked.asks, proc.tty_of(0)) {
        let before = proc.termios(id);
        proc.set_termios(id, crate::os::kernel::tty::Termios { echo: false, ..before });
        let _ = proc.print("Enter password: ").await;
        let typed = proc.read(0, 4096).await.map(|typed| typed.to_vec()).unwrap_or_default();
        proc.set_termios(id, before);
        let _ = proc.print("\n").await;
        return typed.to_str_lossy().trim_end_matches('\n').to_owned();
    }
    proc.getenv("MYSQL_PWD").map(|value| value.to_str_lossy().into_owned()).unwrap_or_default()
}

/// `mysql`.
pub async fn client(proc: Proc) -> i32 {
    let args = words_of(&proc);
    let number = own_version(&proc).await;
    if args.iter().any(|arg| arg == "--version" || arg == "-V") {
        return i32::from(
            proc.print(format!("mysql  Ver {number} for Linux on x86_64 (MySQL Community Server (GPL))\n"))
                .await
                .is_err(),
        );
    }
    let asked = asked(&args);
    let password = password(&proc, &asked).await;
    let database = asked.rest.first().map_or("", String::as_str);
    let mut connection = match Connection::open(&proc, asked.host.as_deref(), &asked.user, &password, database).await {
        Ok(connection) => connection,
        Err(why) => {
            proc.eprint(format!("{why}\n")).await;
            return 1;
        }
    };
    let is_terminal = proc.tty_of(1).is_some();
    let text = match (&asked.statement, proc.tty_of(0)) {
        (Some(statement), _) => Some(statement.clone()),
        (None, None) => {
            Some(proc.read_all(0).await.map(|text| text.to_vec().to_str_lossy().into_owned()).unwrap_or_default())
        }
        (None, Some(_)) => None,
    };
    if let Some(text) = text {
        for statement in text.split(';').filter(|statement| !statement.trim().is_empty()) {
            let Some(answer) = connection.ask(&proc, statement).await else { return 1 };
            if answer.starts_with("ERROR") {
                proc.eprint(format!("{answer}\n")).await;
                return 1;
            }
            if answer.starts_with('\t') {
                let _ = proc.print(rows(&answer, is_terminal)).await;
            }
        }
        return 0;
    }
    let server = connection.version.clone();
    let _ = proc.print(format!("Welcome to the MySQL monitor.  Commands end with ; or \\g.\nYour MySQL connection id is 8\nServer version: {server} MySQL Community Server (GPL)\n\nType 'help;' or '\\h' for help. Type '\\c' to clear the current input statement.\n\n")).await;
    // Ctrl-C drops what is typed.
    proc.on_signal(Signal::INT, Disposition::Handle);
    let (mut pending, mut typed) = (String::new(), Vec::new());
    loop {
        let prompt = if pending.is_empty() { "mysql> " } else { "    -> " };
        let _ = proc.print(prompt).await;
        let line = loop {
            if let Some(at) = typed.find(b"\n") {
                break typed.drain(..=at).collect::<Vec<u8>>();
            }
            match proc.read(0, 4096).await {
                Ok(more) if !more.is_empty() => typed.extend(more.to_vec()),
                Err(Errno::EINTR) => {
                    proc.take_signal();
                    (pending, typed) = (String::new(), Vec::new());
                    let _ = proc.print("\nmysql> ").await;
                }
                _ => return 0,
            }
        };
        let line = line.to_str_lossy().trim().to_owned();
        if pending.is_empty() && matches!(line.trim_end_matches(';'), "exit" | "quit" | "\\q") {
            let _ = proc.print("Bye\n").await;
            return 0;
        }
        pending.push_str(&line);
        pending.push(' ');
        let ended = line.ends_with(';') || line.ends_with("\\g") || pending.to_lowercase().starts_with("use ");
        if !ended {
            if pending.trim().is_empty() {
                pending.clear();
            }
            continue;
        }
        let statement = std::mem::take(&mut pending);
        let Some(answer) = connection.ask(&proc, statement.trim().trim_end_matches(';')).await else { return 1 };
        let shown = if answer.starts_with('\t') {
            let count = answer.lines().count().saturating_sub(1);
            format!("{}{count} row{} in set (0.00 sec)\n\n", rows(&answer, true), if count == 1 { "" } else { "s" })
        } else if answer == "Database changed" || answer.starts_with("ERROR") {
            format!("{answer}\n")
        } else {
            format!("{answer}\n\n")
        };
        let _ = proc.print(shown).await;
    }
}

/// Rows with a frame, or as fields between tabs.
fn rows(answer: &str, framed: bool) -> String {
    let rows: Vec<Vec<&str>> = answer.lines().map(|line| line.trim_start_matches('\t').split('\t').collect()).collect();
    if !framed {
        return rows.iter().map(|row| format!("{}\n", row.join("\t"))).collect();
    }
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let rule: String = widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect::<String>() + "+\n";
    let mut out = rule.clone();
    for (at, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("| {cell:<width$} "));
        out.push_str(&(cells.collect::<String>() + "|\n"));
        if at == 0 {
            out.push_str(&rule);
        }
    }
    out + &rule
}

/// `mysqladmin ping` and `version`.
pub async fn admin(proc: Proc) -> i32 {
    let asked = asked(&words_of(&proc));
    match asked.rest.first().map(String::as_str) {
        Some("ping") => {
            // Whoever answers is alive, whatever he thinks of the password.
            let password = asked.password.clone().unwrap_or_default();
            match Connection::open(&proc, asked.host.as_deref(), &asked.user, &password, "").await {
                Err(why) if !why.starts_with("ERROR 1045") => {
                    proc.eprint(format!("mysqladmin: connect to server at 'localhost' failed\nerror: '{why}'\n")).await;
                    1
                }
                _ => i32::from(proc.print("mysqld is alive\n").await.is_err()),
            }
        }
        other => {
            proc.eprint(format!("mysqladmin: {} is not simulated in Capas\n", other.unwrap_or("this"))).await;
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_framed_on_a_terminal_only() {
        assert_eq!(rows("\tDatabase\n\tmysql", false), "Database\nmysql\n");
        assert_eq!(
            rows("\tDatabase\n\tmysql", true),
            "+----------+\n| Database |\n+----------+\n| mysql    |\n+----------+\n"
        );
    }

    #[test]
    fn options_are_read_in_their_short_and_long_forms() {
        let args = ["-uroot", "-psecreto", "-h", "db", "--execute=select 1", "tienda"].map(str::to_owned);
        let asked = asked(&args);
        assert_eq!(
            (asked.user.as_str(), asked.password.as_deref(), asked.host.as_deref()),
            ("root", Some("secreto"), Some("db"))
        );
        assert_eq!((asked.statement.as_deref(), asked.rest), (Some("select 1"), vec!["tienda".to_owned()]));
    }
}
