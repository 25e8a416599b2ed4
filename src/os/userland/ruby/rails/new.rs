//! `rails new`: an application's skeleton (`static/rails/skeleton`, written for Capas), its gems, and what JavaScript adds.

use bstr::{BString, ByteSlice};

use super::super::Release;
use super::super::gems::make_dirs;
use crate::base::digest::Digest;
use crate::base::rope::Rope;
use crate::os::kernel::{Open, Proc};
use crate::os::userland::packages::files::{PackagedKind, read_text, seed};
use crate::os::userland::spawn::status_of;

const SKELETON: &str = include_str!("../../../../../static/rails/skeleton");
/// What bootsnap keeps of the files it has read, in a new application.
const BOOTSNAP_BYTES: u64 = 7_600_000;

/// What `rails new` is asked for.
struct Wish {
    path: String,
    database: String,
    has_tests: bool,
    has_script: bool,
    bundles: bool,
}

fn read(args: &[String]) -> Result<Wish, String> {
    let mut wish =
        Wish { path: String::new(), database: "sqlite3".to_owned(), has_tests: true, has_script: true, bundles: true };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-d" | "--database" => wish.database = rest.next().cloned().unwrap_or_default(),
            "-T" | "--skip-test" => wish.has_tests = false,
            "-J" | "--skip-javascript" => wish.has_script = false,
            "-B" | "--skip-bundle" => wish.bundles = false,
            // No repository is made here, and nothing is there that could be in the way.
            "-G" | "--skip-git" | "-f" | "--force" | "--no-rc" => {}
            long if long.starts_with("--database=") => {
                wish.database = long.split_once('=').map(|(_, name)| name.to_owned()).unwrap_or_default();
            }
            flag if flag.starts_with('-') => {
                return Err(format!("rails: `rails new {flag}` is not simulated in Capas\n"));
            }
            path if wish.path.is_empty() => wish.path = path.to_owned(),
            _ => {}
        }
    }
    if wish.path.is_empty() {
        return Err("No value provided for required arguments 'app_path'\n".to_owned());
    }
    if !matches!(wish.database.as_str(), "sqlite3" | "postgresql" | "mysql") {
        return Err(format!(
            "Invalid value for --database option. Supported preconfigurations are: mysql, postgresql, sqlite3. (\"{}\" is not simulated in Capas.)\n",
            wish.database
        ));
    }
    Ok(wish)
}

/// `my_blog` and `MyBlog`.
fn names(path: &str) -> (String, String) {
    let base = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    let under: String =
        base.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    (under.clone(), camel(&under))
}

/// `my_blog` as the name of a class.
pub fn camel(under: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    under.split('_').map(capital).collect()
}

fn skeleton(wish: &Wish, release: &Release, key: &str) -> String {
    let (under, class) = names(&wish.path);
    let (adapter, adapter_version, driver, encoding) = match wish.database.as_str() {
        "postgresql" => ("pg", "~> 1.1", "postgresql", "unicode"),
        "mysql" => ("mysql2", "~> 0.5", "mysql2", "utf8mb4"),
        _ => ("sqlite3", "~> 1.4", "sqlite3", "utf8"),
    };
    let flags = [
        ("{js}", wish.has_script),
        ("{test}", wish.has_tests),
        ("{sqlite}", adapter == "sqlite3"),
        ("{server}", adapter != "sqlite3"),
    ];
    let mut out = String::new();
    for line in SKELETON.lines() {
        let mut text = line.to_owned();
        if flags.iter().any(|(mark, holds)| text.contains(mark) && !holds) {
            continue;
        }
        for (mark, _) in flags {
            text = text.replace(mark, "");
        }
        // A mark at the head of a folder's or file's line stands before its own.
        out.push_str(&text);
        out.push('\n');
    }
    let replaced = [
        ("{app_}", under.as_str()),
        ("{app}", wish.path.rsplit('/').next().unwrap_or_default()),
        ("{App}", &class),
        ("{APP}", &under.to_ascii_uppercase()),
        ("{ruby}", &release.number),
        ("{adapter}", adapter),
        ("{adapter_version}", adapter_version),
        ("{driver}", driver),
        ("{encoding}", encoding),
        ("{key}", key),
    ];
    replaced.iter().fold(out, |text, (mark, value)| text.replace(mark, value))
}

/// A line of what a generator does.
pub async fn did(proc: &Proc, verb: &str, what: &str) {
    let _ = proc.print(format!("{verb:>12}  {what}\n")).await;
}

/// `rails new`.
pub async fn main(proc: &Proc, args: &[String], release: Release) -> i32 {
    let wish = match read(args) {
        Ok(wish) => wish,
        Err(why) => {
            proc.eprint(why).await;
            return 1;
        }
    };
    if proc.stat(format!("{}/config/application.rb", wish.path).as_bytes()).is_ok() {
        proc.eprint(format!(
            "rails: {} has an application already; writing over it is not simulated in Capas\n",
            wish.path
        ))
        .await;
        return 1;
    }
    // The key follows from when and where it is made: the same session makes the same.
    let key: String =
        Digest::of(format!("{} {}", proc.now().rfc3339_nano(), wish.path).as_bytes()).hex().chars().take(32).collect();
    let text = skeleton(&wish, &release, &key);
    did(proc, "create", "").await;
    for file in read_text(&text) {
        let inside = file.path.trim_start_matches('/');
        did(proc, "create", inside).await;
        let path = format!("{}/{inside}", wish.path);
        let made = match &file.kind {
            PackagedKind::Text(text) => write(proc, &path, text, file.mode).await,
            _ => make_dirs(proc, &absolute(proc, &path)).map_err(|error| error.strerror().to_owned()),
        };
        if let Err(why) = made {
            proc.eprint(format!("rails: {path}: {why}\n")).await;
            return 1;
        }
    }
    if proc.chdir(wish.path.as_bytes()).is_err() {
        return 1;
    }
    if !wish.bundles {
        return 0;
    }
    did(proc, "run", "bundle install").await;
    let status = status_of(proc, vec![BString::from("bundle"), BString::from("install")]).await;
    if status != 0 {
        return 0;
    }
    did(proc, "run", "bundle binstubs bundler").await;
    let _ = write(
        proc,
        "bin/bundle",
        "#!/usr/bin/env ruby\nrequire \"rubygems\"\nload Gem.bin_path(\"bundler\", \"bundle\")\n",
        0o755,
    )
    .await;
    if wish.has_script {
        script(proc).await;
    }
    // Reading all of these files for the first time leaves bootsnap's notes of them.
    let _ = make_dirs(proc, &absolute(proc, "tmp/cache/bootsnap"));
    let notes = Rope::bulk(seed("bootsnap load-path-cache"), BOOTSNAP_BYTES);
    let _ = proc.write_file(b"tmp/cache/bootsnap/compile-cache", &notes).await;
    0
}

/// What the gems of JavaScript put in: what is said before it, what is done, to which file, with which text.
const SCRIPT: [(&str, &str, &str, &str); 14] = [
    ("", "rails", "importmap:install", ""),
    (
        "Add Importmap include tags in application layout\n",
        "insert",
        "app/views/layouts/application.html.erb",
        "    <%= javascript_importmap_tags %>\n",
    ),
    (
        "Create application.js module as entrypoint\n",
        "create",
        "app/javascript/application.js",
        "// What importmap.rb names is loaded from here.\n",
    ),
    ("Use vendor/javascript for downloaded pins\n", "create", "vendor/javascript/.keep", ""),
    (
        "Configure importmap paths in config/importmap.rb\n",
        "create",
        "config/importmap.rb",
        "pin \"application\", preload: true\n",
    ),
    (
        "Copying binstub\n",
        "create",
        "bin/importmap",
        "#!/usr/bin/env ruby\nrequire_relative \"../config/application\"\nrequire \"importmap/commands\"\n",
    ),
    ("", "rails", "turbo:install stimulus:install", ""),
    ("Import Turbo\n", "append", "app/javascript/application.js", "import \"@hotwired/turbo-rails\"\n"),
    (
        "Pin Turbo\n",
        "append",
        "config/importmap.rb",
        "pin \"@hotwired/turbo-rails\", to: \"turbo.min.js\", preload: true\n",
    ),
    (
        "Create controllers directory\n",
        "create",
        "app/javascript/controllers/index.js",
        "import { application } from \"controllers/application\"\n",
    ),
    (
        "",
        "create",
        "app/javascript/controllers/application.js",
        "import { Application } from \"@hotwired/stimulus\"\n\nexport const application = Application.start()\n",
    ),
    (
        "",
        "create",
        "app/javascript/controllers/hello_controller.js",
        "import { Controller } from \"@hotwired/stimulus\"\n",
    ),
    ("Import Stimulus controllers\n", "append", "app/javascript/application.js", "import \"controllers\"\n"),
    (
        "Pin Stimulus\n",
        "append",
        "config/importmap.rb",
        "pin \"@hotwired/stimulus\", to: \"stimulus.min.js\", preload: true\n",
    ),
];

async fn script(proc: &Proc) {
    for (said, verb, path, text) in SCRIPT {
        let _ = proc.print(said).await;
        match verb {
            "create" => create(proc, path, text).await,
            "append" => append(proc, path, text).await,
            "insert" => insert(proc, path, text).await,
            _ => did(proc, verb, path).await,
        }
    }
    let _ = proc.chmod(b"bin/importmap", 0o755);
}

fn absolute(proc: &Proc, path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{}/{path}", proc.cwd().to_str_lossy().trim_end_matches('/'))
    }
}

/// Writes a file, told of as a generator does.
pub async fn create(proc: &Proc, path: &str, text: &str) {
    did(proc, "create", path).await;
    let _ = write(proc, path, text, 0o644).await;
}

async fn append(proc: &Proc, path: &str, text: &str) {
    did(proc, "append", path).await;
    let Ok(fd) = proc.open(path.as_bytes(), Open::APPEND) else { return };
    let _ = proc.write(fd, text.as_bytes()).await;
    let _ = proc.close(fd);
}

/// Puts lines into a page, before the end of its head.
async fn insert(proc: &Proc, path: &str, text: &str) {
    did(proc, "insert", path).await;
    let before = proc.read_file(path.as_bytes()).await.unwrap_or_default().to_vec();
    let page = before.to_str_lossy().replacen("  </head>", &format!("{text}  </head>"), 1);
    let _ = write(proc, path, &page, 0o644).await;
}

/// Writes a file with the folders above it.
pub async fn write(proc: &Proc, path: &str, text: &str, mode: u32) -> Result<(), String> {
    let path = absolute(proc, path);
    let told = |error: crate::base::errno::Errno| error.strerror().to_owned();
    if let Some((dir, _)) = path.rsplit_once('/') {
        make_dirs(proc, dir).map_err(told)?;
    }
    proc.write_file(path.as_bytes(), &Rope::from(text)).await.map_err(told)?;
    proc.chmod(path.as_bytes(), mode).map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skeleton_has_what_was_wished_for_and_no_marks() {
        let release = Release::read("3.0.3p157,2021-11-24,3fb7d2cadc");
        for line in ["blog", "my_blog -d postgresql -T -J", "x --database=mysql --skip-bundle"] {
            let args: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
            let Ok(wish) = read(&args) else { panic!("{line}") };
            let text = skeleton(&wish, &release, "0123");
            for mark in
                ["{app", "{App", "{APP", "{ruby", "{adapter", "{js", "{test", "{sqlite", "{server", "{key", "{driver"]
            {
                assert!(!text.contains(mark), "{line}: {mark}");
            }
            let files = read_text(&text);
            assert_eq!(files.iter().any(|file| file.path.starts_with("/test/")), !line.contains("-T"), "{line}");
            assert!(files.iter().any(|file| file.path == "/bin/rails" && file.mode == 0o755));
            assert_eq!(text.contains("sprockets"), !line.contains("-J"));
        }
        assert!(read(&["--api".to_owned(), "x".to_owned()]).is_err() && read(&[]).is_err());
        assert_eq!(names("/srv/my-blog"), ("my_blog".to_owned(), "MyBlog".to_owned()));
    }
}
