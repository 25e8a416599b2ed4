//! Language runtimes (`node`, `python3`, `ruby`, `go`, ...): they know their version and say what they do not do.
//!
//! No language is simulated. What is no language is: `--version`, `python3 -m http.server`. All the rest ends with status
//! 1 and says why.

use bstr::ByteSlice;

use crate::os::kernel::Proc;
use crate::os::kernel::exec::{HEAD_BYTES, version};

/// One program for all of them: what it is called is what it is.
pub async fn main(proc: Proc) -> i32 {
    let args: Vec<String> = proc.args().iter().map(|arg| arg.to_str_lossy().into_owned()).collect();
    let called = args.first().map_or("", |name| name.rsplit('/').next().unwrap_or(name)).to_owned();
    let rest = args.get(1..).unwrap_or_default();
    // The file of the program tells its version.
    let head = match proc.read_file(b"/proc/self/exe").await {
        Ok(file) => file.head(HEAD_BYTES).to_vec(),
        Err(_) => Vec::new(),
    };
    let version = version(&head).unwrap_or_default();
    let name = called.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let text = match (name, rest.first().map(String::as_str)) {
        ("python", Some("--version" | "-V")) => format!("Python {version}"),
        ("python", Some("-m")) if rest.get(1).is_some_and(|module| module == "http.server") => {
            return super::httpd::python(proc, rest.get(2..).unwrap_or_default()).await;
        }
        ("pip", Some("--version" | "-V")) => {
            // The interpreter's folder tells its version.
            let python = proc
                .readdir(b"/usr/local/lib")
                .unwrap_or_default()
                .into_iter()
                .find_map(|entry| entry.name.to_str_lossy().strip_prefix("python").map(str::to_owned));
            let python = python.unwrap_or_else(|| "3".to_owned());
            format!("pip {version} from /usr/local/lib/python{python}/site-packages/pip (python {python})")
        }
        ("node", Some("--version" | "-v")) => format!("v{version}"),
        ("npm" | "npx" | "yarn", Some("--version" | "-v")) => version.clone(),
        ("ruby", Some("--version" | "-v")) => format!("ruby {version} [x86_64-linux]"),
        ("perl", Some("-v" | "--version")) => {
            format!("\nThis is perl 5, version 32, subversion 1 (v{version}) built for x86_64-linux-gnu\n")
        }
        ("php", Some("-v" | "--version")) => format!("PHP {version} (cli) ( NTS )"),
        ("go", Some("version")) => format!("go version go{version} linux/amd64"),
        ("go", Some("env")) => match rest.get(1).map(String::as_str) {
            Some("GOPATH") => "/go".to_owned(),
            Some("GOROOT") => "/usr/local/go".to_owned(),
            _ => return refuse(&proc, &called, "this command").await,
        },
        ("java" | "javac", Some("-version" | "--version")) => format!("openjdk version \"{version}\""),
        ("mysql" | "mysqld" | "mongo" | "mongod" | "psql" | "postgres", Some("--version" | "-V")) => {
            format!("{called}  Ver {version} for Linux on x86_64")
        }
        ("npm" | "yarn" | "pip", Some("install" | "ci" | "add")) => {
            return refuse(&proc, &called, "installing packages").await;
        }
        ("npm" | "yarn", _) => return refuse(&proc, &called, "this command").await,
        ("mysqld" | "mongod", _) => return refuse(&proc, &called, "a database of this kind").await,
        _ => return refuse(&proc, &called, "running programs in this language").await,
    };
    i32::from(proc.print(format!("{text}\n")).await.is_err())
}

async fn refuse(proc: &Proc, name: &str, what: &str) -> i32 {
    proc.eprint(format!("{name}: {what} is not simulated in Capas\n")).await;
    1
}
