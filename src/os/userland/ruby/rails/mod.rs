//! `rails`: `new`, `server`, `generate` of models and scaffolds, and the tasks of a database. The application's own Ruby is
//! not run: what would need it says so.

mod database;
mod generate;
mod new;
mod server;

use super::Release;
use super::bundle;
use super::gems::{self, Home};
use crate::os::kernel::Proc;

/// An application: its folder, which environment it is run in, and whose Ruby runs it.
struct App {
    dir: String,
    environment: String,
    home: Home,
}

impl App {
    /// A path inside of it.
    fn path(&self, inside: &str) -> String {
        format!("{}/{inside}", self.dir.trim_end_matches('/'))
    }

    /// The text of a file inside of it; nothing when there is none.
    async fn text(&self, proc: &Proc, inside: &str) -> String {
        let file = proc.read_file(self.path(inside).as_bytes()).await.unwrap_or_default();
        String::from_utf8_lossy(&file.head(1 << 20)).into_owned()
    }
}

fn version() -> &'static str {
    gems::gem("rails").map_or("7.0.1", |gem| gem.version)
}

/// `rails`, or an application's `bin/rails`.
pub async fn main(proc: Proc, script: &str, args: Vec<String>, release: Release) -> i32 {
    let rest = args.get(1..).unwrap_or_default();
    match args.first().map(String::as_str) {
        Some("-v" | "--version" | "version") => {
            return i32::from(proc.print(format!("Rails {}\n", version())).await.is_err());
        }
        Some("new") => return new::main(&proc, rest, release).await,
        None | Some("-h" | "--help" | "help") => {
            let text = "Usage:\n  rails COMMAND [options]\n\nSimulated in Capas:\n  new APP_PATH [-d sqlite3|postgresql|mysql] [-T] [-J] [-B]\n  server [-b ADDRESS] [-p PORT] [-e ENVIRONMENT] [-d]\n  generate model|scaffold|migration NAME [field:type ...]\n  db:create, db:migrate, db:prepare, db:setup, db:drop, db:seed, db:version\n";
            return i32::from(proc.print(text).await.is_err());
        }
        _ => {}
    }
    let app = match app(&proc, release, script).await {
        Ok(app) => app,
        Err(status) => return status,
    };
    match args.first().map(String::as_str) {
        Some("server" | "s") => server::main(&proc, app, rest).await,
        Some("generate" | "g") => generate::main(&proc, &app, rest).await,
        Some(task) if task.starts_with("db:") => database::task(&proc, &app, task).await,
        Some(other) => {
            proc.eprint(format!("rails: `rails {other}` is not simulated in Capas\n")).await;
            1
        }
        None => 0,
    }
}

/// `rake`: the tasks of an application's database.
pub async fn rake(proc: Proc, args: Vec<String>, release: Release) -> i32 {
    match args.first().map(String::as_str) {
        Some("-V" | "--version") => {
            let version = gems::gem("rake").map_or("13", |gem| gem.version);
            i32::from(proc.print(format!("rake, version {version}\n")).await.is_err())
        }
        Some(task) if task.starts_with("db:") => {
            let task = task.to_owned();
            match app(&proc, release, "rake").await {
                Ok(app) => database::task(&proc, &app, &task).await,
                Err(status) => status,
            }
        }
        _ => {
            proc.eprint("rake: tasks of an application's own are not simulated in Capas\n").await;
            1
        }
    }
}

/// The application that a process stands in, with all of its gems; what it says and its status if there is none.
async fn app(proc: &Proc, release: Release, script: &str) -> Result<App, i32> {
    use bstr::ByteSlice;
    let environment = |name: &str| proc.getenv(name).map(|value| value.to_str_lossy().into_owned());
    let named = environment("RAILS_ENV").or_else(|| environment("RACK_ENV"));
    let is_there = proc.stat(b"config/boot.rb").is_ok();
    if !is_there {
        // Without an application there is nothing but `new`.
        let text = "Usage:\n  rails new APP_PATH [options]\n\nRun it inside of an application's folder for its other commands.\n";
        let _ = proc.print(text).await;
        return Err(1);
    }
    let home = Home::of(proc, release);
    match bundle::setup(proc, &home).await {
        Ok(dir) => Ok(App { dir, environment: named.unwrap_or_else(|| "development".to_owned()), home }),
        // On a terminal Bundler only says what to do; elsewhere it is an error like any other.
        Err(why) if proc.tty_of(1).is_some() => Err(bundle::tell(proc, &why).await),
        Err(why) => {
            let series = home.release().series();
            let lib = format!("/usr/local/lib/ruby/{series}/bundler");
            let class = if why.text.starts_with("Could not find") { "GemNotFound" } else { "BundlerError" };
            proc.eprint(format!(
                "{lib}/definition.rb:502:in `materialize': {} (Bundler::{class})\n\tfrom {lib}/definition.rb:189:in `specs'\n\tfrom {lib}/runtime.rb:18:in `setup'\n\tfrom {lib}/setup.rb:20:in `<top (required)>'\n\tfrom {}/config/boot.rb:3:in `<top (required)>'\n\tfrom {script}:3:in `<main>'\n",
                why.text,
                proc.cwd()
            ))
            .await;
            Err(1)
        }
    }
}
