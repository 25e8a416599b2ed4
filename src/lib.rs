//! Capas: the map of the house.
//!
//! Capas is a Docker you can see through: a model of images, layers, containers, builds and registries that runs in a
//! browser tab. A student types real commands; nothing they print is canned: a command runs because an executable file
//! stands at its path in that container's own file system, a size is a sum of files, a digest is the SHA-256 of bytes
//! that can be exported and hashed again.
//!
//! # What the engine never does
//! Everything here but `ui`, `embed` and `host` is the engine. It never reads a clock, a file, an environment variable or
//! a random number, never calls back into the page and never starts a thread. Time, seed and keystrokes go in
//! ([`machine::Machine`]); terminal bytes and events come out. The same seed and inputs give the same bytes.
//!
//! # Where things are, from the ground up
//! A module uses only those above it in this list; `tests/house.rs` holds the table and fails on a `use` that goes the
//! wrong way.
//!
//! | | |
//! |---|---|
//! | [`base`] | values without a world: digests, ropes, paths, times, sizes, random numbers, tables, error numbers |
//! | [`os::fs`] | files and layers: changesets, merged trees, the writable overlay, mounts, tar and what packs it |
//! | [`os::args`] | one option parser, two dialects |
//! | [`docker::dockerfile`] | Dockerfiles: lines, instructions with their places, words, ignore rules, checks |
//! | [`os::kernel`] | processes as futures: scheduler, system calls, terminals, pipes, signals, network |
//! | [`docker::image`] | references, configs, manifests, the content-addressed store |
//! | [`docker::registry`] | repositories, blobs, pull and push plans, the catalogue's recipes |
//! | [`os::shell`] | the shell: grammar, expansion, jobs, line editor |
//! | [`os::userland`] | the programs, one file each, and the packages that contain them |
//! | [`docker::daemon`] | containers, networks, volumes, events; [`docker::daemon::api`] is its only door |
//! | [`docker::distribution`] | `registry`, the program of the image `registry:2` |
//! | [`docker::build`] | BuildKit and the classic builder over a narrow world |
//! | [`docker::cli`] | the docker command line: one file a verb, one table a noun |
//! | [`docker::http`] | the Engine API over HTTP, and the daemon that listens on its socket |
//! | [`docker::capas`] | the program `capas`: what the page draws, as text |
//! | [`machine`] | the only constructor of a world: the student's computer, what systemd starts there, the journal |
//! | [`lesson`], [`view`] | transcripts and exercises; view-models that the page draws |
//! | `ui`, `embed` | the page (wasm32 only) |
//! | `host` | `capas`, the same machine in a real terminal, and its daemon on a socket (not in wasm32) |
//!
//! # How to add ...
//! - *a program*: a file in `os/userland`, a line in its table, and a package that contains its executable;
//! - *a verb of `capas`*: a file in `docker/capas`, a line in its table;
//! - *a docker verb*: a file in `docker/cli/commands/<noun>`, a line in the noun's table;
//! - *an image*: a folder in `static/catalogue`, or some lines in its `shelf`, then `capas bake`.
//! - *a git repository* that builds may take as context: a folder in `static/repositories`, a line in `docker::registry::git`.

pub mod base;
pub mod docker;
pub mod lesson;
pub mod machine;
pub mod os;
pub mod view;

#[cfg(target_arch = "wasm32")]
pub mod embed;
#[cfg(not(target_arch = "wasm32"))]
pub mod host;
#[cfg(target_arch = "wasm32")]
pub mod ui;
