//! PostgreSQL: a server that keeps databases, roles and small tables in its data directory, and its client `psql`.
//!
//! What survives a container is what its volume holds: the cluster is written to `global/1260` as the statements that make
//! it again, after every change. SQL is what a student types to look around: databases, roles, grants, tables of plain
//! rows. Anything else is refused by name; no query is answered with something made up.

mod catalog;
mod psql;
mod server;
mod sql;
mod tools;
mod wire;

pub use psql::{Server, ask};
pub use wire::Answer;

use bstr::ByteSlice;

use crate::os::kernel::Proc;
use crate::os::kernel::exec::{HEAD_BYTES, version};

/// One executable for all of them: what it is called is what it is.
pub async fn main(proc: Proc) -> i32 {
    let args: Vec<String> = proc.args().iter().map(|arg| arg.to_str_lossy().into_owned()).collect();
    let called = args.first().map_or("", |name| name.rsplit('/').next().unwrap_or(name)).to_owned();
    let rest = args.get(1..).unwrap_or_default();
    let version = Version::of(&proc).await;
    if let Some("--version" | "-V") = rest.first().map(String::as_str) {
        let text = format!("{called} (PostgreSQL) {} ({})\n", version.number(), version.package());
        return i32::from(proc.print(text).await.is_err());
    }
    match called.as_str() {
        "postgres" | "postmaster" => server::main(proc, rest, &version).await,
        "psql" => psql::main(proc, rest, &version).await,
        "initdb" => tools::initdb(&proc, rest, &version).await,
        "pg_ctl" => tools::pg_ctl(&proc, rest).await,
        "pg_isready" => tools::pg_isready(&proc, rest).await,
        "createdb" | "dropdb" | "createuser" | "dropuser" => psql::wrapper(proc, &called, rest, &version).await,
        other => {
            proc.eprint(format!("{other}: not simulated in Capas\n")).await;
            1
        }
    }
}

/// The package that an executable is of, such as `14.1-1.pgdg110+1`.
struct Version(String);

impl Version {
    async fn of(proc: &Proc) -> Self {
        let head = match proc.read_file(b"/proc/self/exe").await {
            Ok(file) => file.head(HEAD_BYTES).to_vec(),
            Err(_) => Vec::new(),
        };
        let told = version(&head).or_else(|| proc.getenv("PG_VERSION").map(|text| text.to_str_lossy().into_owned()));
        Self(told.unwrap_or_else(|| "14.1-1.pgdg110+1".to_owned()))
    }

    fn number(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    fn major(&self) -> u32 {
        self.number().split('.').next().and_then(|text| text.parse().ok()).unwrap_or(14)
    }

    /// As Debian's builds name themselves.
    fn package(&self) -> String {
        if self.0.contains("-r") { "Alpine".to_owned() } else { format!("Debian {}", self.0) }
    }

    /// The compiler of that build.
    fn compiler(&self) -> &'static str {
        if self.0.contains("pgdg90") {
            "gcc (Debian 6.3.0-18+deb9u1) 6.3.0 20170516"
        } else {
            "gcc (Debian 10.2.1-6) 10.2.1 20210110"
        }
    }

    /// `SELECT version()`.
    fn full(&self) -> String {
        format!(
            "PostgreSQL {} ({}) on x86_64-pc-linux-gnu, compiled by {}, 64-bit",
            self.number(),
            self.package(),
            self.compiler()
        )
    }
}

/// Where the data is.
fn data_dir(proc: &Proc) -> String {
    proc.getenv("PGDATA").map_or_else(|| "/var/lib/postgresql/data".to_owned(), |dir| dir.to_str_lossy().into_owned())
}

/// The port that everybody uses.
const PORT: u16 = 5432;
/// Where clients of the same machine connect.
const SOCKET: &str = "/var/run/postgresql/.s.PGSQL.5432";
