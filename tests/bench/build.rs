//! What builds cost the engine: five steps cold and cached, 200 steps, a context of 10,000 files, and an installation whose
//! layer is bulk. The whole machine runs: the shell that reads the command, the client, the builder and its containers.
//!
//! `cargo bench --bench build`; in WebAssembly as in the README. "hashing" is what reading and hashing the new layers'
//! tars takes by itself, which a build does once a layer.
#![expect(
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it measures time and tells it"
)]

use std::fmt::Write;
use std::time::{Duration, Instant};

use capas::base::digest::{ChainId, DiffId};
use capas::machine::{Config, Machine};

const HOME: &str = capas::machine::host::HOME;
const RUNS: usize = 5;

struct Bench(Machine);

impl Bench {
    /// A machine with `alpine` and some files in `app`.
    fn new(files: &[(String, String)]) -> Self {
        let mut own = Self(Machine::new(Config::default()));
        own.types("docker pull -q alpine");
        for (name, text) in files {
            own.0.put_file(&format!("{HOME}/app/{name}"), text.as_bytes()).unwrap();
        }
        // What files of the host weigh is known by then.
        own.types("true");
        own
    }

    /// Types a line; how long the machine computes until the prompt is there again, in milliseconds.
    fn types(&mut self, line: &str) -> f64 {
        let (tty, quiet) = (self.0.console(), Duration::from_secs(7200));
        self.0.settle(tty, quiet, quiet);
        let start = Instant::now();
        self.0.input(tty, format!("{line}\r").as_bytes());
        let said = self.0.settle(tty, quiet, quiet);
        let took = start.elapsed().as_secs_f64() * 1000.0;
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains("ERROR"), "{line}: {said}");
        took
    }

    /// How long hashing the layers of `app` takes that are not alpine's, in milliseconds, and their bytes.
    fn hashing(&self) -> (f64, u64) {
        let store = self.0.builder().store.borrow();
        let chain = |name: &str| store.image(store.resolve(name).unwrap()).unwrap().config().chain_id();
        let base: Vec<ChainId> = store.stack(chain("alpine")).iter().map(|layer| layer.chain_id).collect();
        let start = Instant::now();
        let mut bytes = 0;
        for layer in store.stack(chain("app")).iter().filter(|layer| !base.contains(&layer.chain_id)) {
            let tar = layer.layer.to_tar();
            bytes += tar.len();
            assert_eq!(DiffId(tar.digest()), layer.diff_id);
        }
        (start.elapsed().as_secs_f64() * 1000.0, bytes)
    }
}

fn measure(what: &str, files: &[(String, String)]) {
    let (mut cold, mut cached, mut hashing) = (f64::INFINITY, f64::INFINITY, (f64::INFINITY, 0));
    for _ in 0..RUNS {
        let mut bench = Bench::new(files);
        let idle = bench.types("true");
        cold = cold.min(bench.types("docker build -q -t app app") - idle);
        cached =
            cached.min((0..3).map(|_| bench.types("docker build -q -t app app") - idle).fold(f64::INFINITY, f64::min));
        let (took, bytes) = bench.hashing();
        hashing = (hashing.0.min(took), bytes);
    }
    println!("{what:34} {cold:10.1} {cached:10.1} {:10.1} {:12}", hashing.0, hashing.1);
}

fn file(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

fn main() {
    println!(
        "milliseconds of the engine         {:>10} {:>10} {:>10} {:>12}",
        "cold", "cached", "hashing", "bytes hashed"
    );
    let five = "FROM alpine\nWORKDIR /app\nCOPY package.json .\nRUN echo one > one && ls -l > list\nCOPY src src\nRUN cat src/*.js > all.js && wc -c all.js\n";
    let mut files = vec![file("Dockerfile", five), file("package.json", "{}\n")];
    files.extend((0..20).map(|at| file(&format!("src/{at}.js"), &"console.log(1);\n".repeat(100))));
    measure("five steps", &files);

    measure(
        "five steps, apk add curl",
        &[file("Dockerfile", "FROM alpine\nWORKDIR /a\nRUN apk add --no-cache curl\nRUN echo 1 > b\nRUN ls > c\n")],
    );

    let mut long = String::from("FROM alpine\n");
    for at in 0..100 {
        let _ = writeln!(long, "ENV V{at}=value\nRUN echo {at} > /f{at}");
    }
    measure("200 steps, 100 layers", &[file("Dockerfile", &long)]);

    let mut many = vec![file("Dockerfile", "FROM alpine\nCOPY . /srv\nRUN ls /srv | wc -l\n")];
    many.extend((0..10_000).map(|at| file(&format!("d{}/f{at}.txt", at % 100), &format!("file {at}\n"))));
    measure("a context of 10,000 files", &many);
}
