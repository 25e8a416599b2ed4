//! An application's database as far as its tasks and its server go: where it is (`config/database.yml`, `DATABASE_URL`),
//! which migrations it has had, and the tables that those make. PostgreSQL is asked over the network; of SQLite there is a
//! file that keeps the same.

use std::collections::BTreeMap;
use std::time::Duration;

use bstr::ByteSlice;

use super::App;
use super::new::{camel, write};
use crate::base::sort::Arrange;
use crate::os::kernel::Proc;
use crate::os::userland::postgres::{self, Answer, Server};

/// How a file of SQLite begins.
const SQLITE: &str = "SQLite format 3\0\n";
/// The table that Rails keeps the versions in.
const VERSIONS: &str = "schema_migrations";

/// Where an application's data is.
enum Place {
    File(String),
    Postgres(Server),
    Other(String),
}

/// Why a database cannot be used: the class of the error and its text.
pub struct Trouble {
    /// `ActiveRecord::…`.
    pub class: &'static str,
    /// What it says.
    pub text: String,
}

/// A migration: its version, its class, and the tables that it makes.
#[derive(Debug, PartialEq, Eq)]
struct Migration {
    version: String,
    class: String,
    tables: Vec<(String, Vec<(String, String)>)>,
}

/// The settings of each environment.
fn settings(text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let (mut section, mut anchors) = (String::new(), BTreeMap::new());
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or_default();
        let Some((key, value)) = line.trim().split_once(':').filter(|(key, _)| !key.starts_with('#')) else { continue };
        let value = value.trim().trim_matches(['"', '\'']);
        if !line.starts_with(' ') {
            section = key.to_owned();
            if let Some(anchor) = value.strip_prefix('&') {
                anchors.insert(anchor.to_owned(), section.clone());
            }
        } else if key == "<<" {
            let from = anchors.get(value.trim_start_matches('*')).and_then(|from| all.get(from)).cloned();
            all.entry(section.clone()).or_default().extend(from.unwrap_or_default());
        } else {
            all.entry(section.clone()).or_default().insert(key.to_owned(), value.to_owned());
        }
    }
    all
}

/// Fills in `<%= ENV["NAME"] %>` and `<%= ENV.fetch("NAME") { default } %>`.
fn fill(proc: &Proc, text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<%=") {
        let (code, after) = after.split_once("%>").unwrap_or((after, ""));
        out.push_str(before);
        let mut quoted = code.split(['"', '\'']);
        let name = quoted.nth(1).unwrap_or_default();
        let default = code.split_once('{').map(|(_, rest)| rest.trim().trim_end_matches('}').trim());
        let default = default.or_else(|| quoted.nth(1)).unwrap_or_default().trim_matches(['"', '\'']);
        let value = proc.getenv(name).map(|value| value.to_str_lossy().into_owned());
        out.push_str(&value.unwrap_or_else(|| default.to_owned()));
        rest = after;
    }
    out + rest
}

/// `postgres://user:password@host:port/database`.
fn url(text: &str) -> Option<Place> {
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.starts_with("postgres") {
        return Some(Place::Other(scheme.to_owned()));
    }
    let (who, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, password) = who.split_once(':').unwrap_or((who, ""));
    let (host, port) = place.split_once(':').unwrap_or((place, ""));
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Some(Place::Postgres(Server {
        host: some(host),
        port: port.parse().ok(),
        user: some(user),
        password: some(password),
        database: some(database.split('?').next().unwrap_or_default()),
    }))
}

async fn place(proc: &Proc, app: &App, environment: &str) -> Place {
    if let Some(place) = proc.getenv("DATABASE_URL").and_then(|text| url(&text.to_str_lossy())) {
        return place;
    }
    let text = fill(proc, &app.text(proc, "config/database.yml").await);
    let all = settings(&text);
    let own = all.get(environment).cloned().unwrap_or_default();
    let get = |key: &str| own.get(key).cloned().filter(|value| !value.is_empty());
    match get("adapter").as_deref() {
        Some("postgresql") => Place::Postgres(Server {
            host: get("host"),
            port: get("port").and_then(|port| port.parse().ok()),
            user: get("username"),
            password: get("password"),
            database: get("database"),
        }),
        Some("sqlite3") | None => {
            Place::File(app.path(&get("database").unwrap_or_else(|| format!("db/{environment}.sqlite3"))))
        }
        Some(other) => Place::Other(other.to_owned()),
    }
}

fn not_simulated(what: &str) -> Trouble {
    Trouble { class: "ActiveRecord::AdapterNotFound", text: format!("{what} is not simulated in Capas") }
}

/// What PostgreSQL's refusal is to Active Record.
fn trouble(options: &Server, why: String) -> Trouble {
    let database = options.database.clone().unwrap_or_default();
    if why.contains("database") && why.contains("does not exist") {
        let text = format!(
            "We could not find your database: {database}. Which can be found in the database configuration file located at config/database.yml.\n\nTo resolve this issue:\n\n- Did you create the database for this app, or delete it? You may need to create your database.\n- Has the database name changed? Check your database.yml config has the correct database name.\n\nTo create your database, run:\n\n        bin/rails db:create"
        );
        return Trouble { class: "ActiveRecord::NoDatabaseError", text };
    }
    if why.starts_with("ERROR") {
        return Trouble { class: "ActiveRecord::StatementInvalid", text: format!("PG::Error: {why}") };
    }
    Trouble { class: "ActiveRecord::ConnectionNotEstablished", text: why }
}

impl Place {
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.rsplit_once("/db/").map_or(path.clone(), |(_, name)| format!("db/{name}")),
            Self::Postgres(options) => options.database.clone().unwrap_or_default(),
            Self::Other(name) => name.clone(),
        }
    }

    /// The versions it has had.
    async fn versions(&self, proc: &Proc) -> Result<Vec<String>, Trouble> {
        match self {
            Self::File(path) => {
                let text = proc.read_file(path.as_bytes()).await.unwrap_or_default().to_vec();
                let text = text.to_str_lossy().into_owned();
                Ok(text.lines().filter_map(|line| line.strip_prefix("version ")).map(ToOwned::to_owned).collect())
            }
            Self::Postgres(options) => {
                match postgres::ask(proc, options, &format!("SELECT version FROM {VERSIONS}")).await {
                    Ok(answers) => Ok(answers
                        .iter()
                        .filter_map(|answer| match answer {
                            Answer::Rows(table) => Some(table.rows.iter().flatten().cloned()),
                            _ => None,
                        })
                        .flatten()
                        .collect()),
                    // A database without that table has had none.
                    Err(why) if why.contains("relation") => Ok(Vec::new()),
                    Err(why) => Err(trouble(options, why)),
                }
            }
            Self::Other(name) => Err(not_simulated(&format!("the adapter {name}"))),
        }
    }

    /// Makes a migration's tables and notes its version.
    async fn apply(&self, proc: &Proc, migration: &Migration) -> Result<(), Trouble> {
        let mut statements = vec![format!("CREATE TABLE IF NOT EXISTS {VERSIONS} (version varchar)")];
        for (table, columns) in &migration.tables {
            let columns: Vec<String> = columns.iter().map(|(name, kind)| format!("\"{name}\" {kind}")).collect();
            statements.push(format!("CREATE TABLE \"{table}\" (\"id\" bigserial, {})", columns.join(", ")));
        }
        statements.push(format!("INSERT INTO {VERSIONS} VALUES ('{}')", migration.version));
        match self {
            Self::File(path) => {
                let before = proc.read_file(path.as_bytes()).await.unwrap_or_default().to_vec();
                let mut text = before.to_str_lossy().into_owned();
                if text.is_empty() {
                    text.push_str(SQLITE);
                }
                for statement in statements.iter().filter(|statement| !statement.contains(VERSIONS)) {
                    text.push_str(&format!("{statement}\n"));
                }
                text.push_str(&format!("version {}\n", migration.version));
                let failed = |text| Trouble { class: "ActiveRecord::StatementInvalid", text };
                write(proc, path, &text, 0o644).await.map_err(failed)
            }
            Self::Postgres(options) => {
                for statement in statements {
                    postgres::ask(proc, options, &statement).await.map_err(|why| trouble(options, why))?;
                }
                Ok(())
            }
            Self::Other(name) => Err(not_simulated(&format!("the adapter {name}"))),
        }
    }

    /// Makes it; `false` when it is there already.
    async fn create(&self, proc: &Proc) -> Result<bool, Trouble> {
        match self {
            Self::File(path) if proc.stat(path.as_bytes()).is_ok() => Ok(false),
            Self::File(path) => {
                let failed = |text| Trouble { class: "SQLite3::CantOpenException", text };
                write(proc, path, SQLITE, 0o644).await.map(|()| true).map_err(failed)
            }
            Self::Postgres(options) => {
                let statement = format!("CREATE DATABASE \"{}\"", self.name());
                match postgres::ask(proc, &maintenance(options), &statement).await {
                    Ok(_) => Ok(true),
                    Err(why) if why.contains("already exists") => Ok(false),
                    Err(why) => Err(trouble(options, why)),
                }
            }
            Self::Other(name) => Err(not_simulated(&format!("the adapter {name}"))),
        }
    }

    async fn remove(&self, proc: &Proc) -> Result<bool, Trouble> {
        match self {
            Self::File(path) => Ok(proc.unlink(path.as_bytes()).is_ok()),
            Self::Postgres(options) => {
                let statement = format!("DROP DATABASE IF EXISTS \"{}\"", self.name());
                let done = postgres::ask(proc, &maintenance(options), &statement).await;
                done.map(|_| true).map_err(|why| trouble(options, why))
            }
            Self::Other(name) => Err(not_simulated(&format!("the adapter {name}"))),
        }
    }
}

/// The same server with the database that is always there.
fn maintenance(server: &Server) -> Server {
    Server { database: Some("postgres".to_owned()), ..server.clone() }
}

/// Reads a migration; the error is the line that is not simulated.
fn read(file: &str, text: &str) -> Result<Migration, String> {
    let stem = file.strip_suffix(".rb").unwrap_or(file);
    let (version, name) = stem.split_once('_').unwrap_or((stem, ""));
    let mut own = Migration { version: version.to_owned(), class: camel(name), tables: Vec::new() };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let first = rest.split([',', ' ']).next().unwrap_or_default().trim_start_matches(':').trim_matches('"');
        match verb {
            "class" | "def" | "end" => {}
            "create_table" => own.tables.push((first.to_owned(), Vec::new())),
            _ => {
                let Some((table, kind)) = own.tables.last_mut().zip(verb.strip_prefix("t.")) else {
                    return Err(line.to_owned());
                };
                let kind = match kind {
                    "timestamps" => {
                        for name in ["created_at", "updated_at"] {
                            table.1.push((name.to_owned(), "timestamp".to_owned()));
                        }
                        continue;
                    }
                    "references" | "belongs_to" => {
                        table.1.push((format!("{first}_id"), "bigint".to_owned()));
                        continue;
                    }
                    "string" => "varchar",
                    "datetime" => "timestamp",
                    "binary" => "bytea",
                    "integer" | "bigint" | "text" | "boolean" | "date" | "float" | "decimal" | "json" => kind,
                    _ => return Err(line.to_owned()),
                };
                table.1.push((first.to_owned(), kind.to_owned()));
            }
        }
    }
    Ok(own)
}

/// The files of an application's migrations, in order.
fn files(proc: &Proc, app: &App) -> Vec<String> {
    let entries = proc.readdir(app.path("db/migrate").as_bytes()).unwrap_or_default();
    let mut names: Vec<String> = entries.iter().map(|entry| entry.name.to_str_lossy().into_owned()).collect();
    names.retain(|name| name.ends_with(".rb"));
    names.arrange();
    names
}

/// Whether an application can use its database; the error is what a page shows instead.
///
/// # Errors
/// No server, no database, or migrations that it has not had.
pub async fn check(proc: &Proc, app: &App) -> Result<(), Trouble> {
    let place = place(proc, app, &app.environment).await;
    if matches!(&place, Place::File(_)) && files(proc, app).is_empty() {
        return Ok(());
    }
    let had = place.versions(proc).await?;
    let pending = files(proc, app).iter().any(|file| !had.iter().any(|version| file.starts_with(version.as_str())));
    if pending {
        let text = format!(
            "Migrations are pending. To resolve this issue, run:\n\n        bin/rails db:migrate RAILS_ENV={}",
            app.environment
        );
        return Err(Trouble { class: "ActiveRecord::PendingMigrationError", text });
    }
    Ok(())
}

/// `rails db:…`.
pub async fn task(proc: &Proc, app: &App, task: &str) -> i32 {
    let place = place(proc, app, &app.environment).await;
    let done = match task {
        "db:create" => create(proc, app).await,
        "db:migrate" => migrate(proc, app, &place).await,
        "db:prepare" | "db:setup" => match create(proc, app).await {
            Ok(()) => migrate(proc, app, &place).await,
            Err(why) => Err(why),
        },
        "db:drop" => match place.remove(proc).await {
            Ok(true) => {
                let _ = proc.print(format!("Dropped database '{}'\n", place.name())).await;
                Ok(())
            }
            Ok(false) => {
                proc.eprint(format!("Database '{}' does not exist\n", place.name())).await;
                Ok(())
            }
            Err(why) => Err(why),
        },
        "db:version" => match place.versions(proc).await {
            Ok(versions) => {
                let last = versions.iter().max().map_or("0", String::as_str);
                let _ = proc.print(format!("database: {}\nCurrent version: {last}\n", place.name())).await;
                Ok(())
            }
            Err(why) => Err(why),
        },
        "db:seed" => {
            let text = app.text(proc, "db/seeds.rb").await;
            let is_code = |line: &str| !line.trim().is_empty() && !line.trim().starts_with('#');
            match text.lines().any(is_code) {
                true => {
                    Err(Trouble { class: "NotImplementedError", text: "Ruby is not simulated in Capas".to_owned() })
                }
                false => Ok(()),
            }
        }
        other => {
            proc.eprint(format!("rails: `rails {other}` is not simulated in Capas\n")).await;
            return 1;
        }
    };
    match done {
        Ok(()) => 0,
        Err(why) => {
            proc.eprint(format!(
                "rails aborted!\n{}: {}\n\n\nTasks: TOP => {task}\n(See full trace by running task with --trace)\n",
                why.class, why.text
            ))
            .await;
            1
        }
    }
}

async fn create(proc: &Proc, app: &App) -> Result<(), Trouble> {
    let both = ["development", "test"];
    let environments = if app.environment == "development" { &both[..] } else { &[app.environment.as_str()] };
    for environment in environments {
        let place = place(proc, app, environment).await;
        match place.create(proc).await? {
            true => drop(proc.print(format!("Created database '{}'\n", place.name())).await),
            false => proc.eprint(format!("Database '{}' already exists\n", place.name())).await,
        }
    }
    Ok(())
}

async fn migrate(proc: &Proc, app: &App, place: &Place) -> Result<(), Trouble> {
    let had = place.versions(proc).await?;
    let mut schema = String::new();
    let mut last = String::new();
    for file in files(proc, app) {
        let text = app.text(proc, &format!("db/migrate/{file}")).await;
        let migration = read(&file, &text).map_err(|line| Trouble {
            class: "NotImplementedError",
            text: format!("db/migrate/{file}: `{line}` is not simulated in Capas"),
        })?;
        for (table, columns) in &migration.tables {
            schema.push_str(&format!("  create_table \"{table}\", force: :cascade do |t|\n"));
            for (name, kind) in columns {
                let kind = match kind.as_str() {
                    "varchar" => "string",
                    "timestamp" => "datetime",
                    "bytea" => "binary",
                    other => other,
                };
                schema.push_str(&format!("    t.{kind} \"{name}\"\n"));
            }
            schema.push_str("  end\n");
        }
        last.clone_from(&migration.version);
        if had.contains(&migration.version) {
            continue;
        }
        let begun = proc.now();
        let head = |text: String| {
            let line = format!("== {} {}: {text} ", migration.version, migration.class);
            format!("{line:=<79}\n")
        };
        let _ = proc.print(head("migrating".to_owned())).await;
        place.apply(proc, &migration).await?;
        for (table, _) in &migration.tables {
            let _ = proc.sleep(Duration::from_micros(9_800)).await;
            let took = proc.now().since(begun).as_secs_f64();
            let _ = proc.print(format!("-- create_table(:{table})\n   -> {took:.4}s\n")).await;
        }
        let took = proc.now().since(begun).as_secs_f64();
        let _ = proc.print(format!("{}\n", head(format!("migrated ({took:.4}s)")))).await;
    }
    if last.is_empty() {
        return Ok(());
    }
    let text = format!("ActiveRecord::Schema[7.0].define(version: {last}) do\n{schema}end\n");
    let failed = |text| Trouble { class: "Errno::EACCES", text };
    write(proc, &app.path("db/schema.rb"), &text, 0o644).await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_take_over_what_they_name() {
        let all = settings(
            "default: &default\n  adapter: postgresql\n  pool: 5\n\ndevelopment:\n  <<: *default\n  host: db  # the service\n  database: \"blog\"\n",
        );
        let told: Vec<String> =
            all.get("development").into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(told, ["adapter=postgresql", "database=blog", "host=db", "pool=5"]);
        let Some(Place::Postgres(options)) = url("postgres://a:b@db:5433/blog?x=1") else { panic!() };
        assert_eq!(
            (options.host.as_deref(), options.port, options.database.as_deref()),
            (Some("db"), Some(5433), Some("blog"))
        );
    }

    #[test]
    fn migrations_are_read_or_refused() {
        let text = "class CreateArticles < ActiveRecord::Migration[7.0]\n  def change\n    create_table :articles do |t|\n      t.string :title\n      t.references :author\n\n      t.timestamps\n    end\n  end\nend\n";
        let Ok(migration) = read("20220122060833_create_articles.rb", text) else { panic!() };
        assert_eq!((migration.version.as_str(), migration.class.as_str()), ("20220122060833", "CreateArticles"));
        let names: Vec<&str> =
            migration.tables.iter().flat_map(|table| &table.1).map(|column| column.0.as_str()).collect();
        assert_eq!(names, ["title", "author_id", "created_at", "updated_at"]);
        assert_eq!(read("1_x.rb", "class X\n  execute \"DROP\"\nend"), Err("execute \"DROP\"".to_owned()));
    }
}
