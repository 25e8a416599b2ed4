//! The catalogue: what each image of the simulated Docker Hub is built from.
//!
//! A recipe is a Dockerfile, the files of its context and the day it was built; the text files are under
//! `static/catalogue`. Images stand on one another as they do on the Hub, so their layers are shared because they are the
//! same layers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::BString;

use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::node::{Entry, Meta};

/// A file of a build context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// Its text.
    Text(&'static str, &'static str),
    /// A script, executable.
    Script(&'static str, &'static str),
    /// The root file system of a release, as an archive of the given name; more files may follow on further lines.
    Rootfs(&'static str, &'static str),
    /// An executable script whose lines are indented by a tab.
    Indented(&'static str, &'static str),
    /// An executable that prints a text which it carries: name, text, size in bytes.
    Message(&'static str, &'static str, u64),
}

/// How an image is made.
#[derive(Debug)]
pub struct Recipe {
    /// The repository's path on the Hub.
    pub repository: &'static str,
    /// Its tags, separated by spaces.
    pub tags: &'static str,
    /// The Dockerfile.
    pub dockerfile: &'static str,
    /// The context.
    pub files: Cow<'static, [File]>,
    /// When it was built: year, month, day.
    pub built: (i64, u8, u8),
}

/// Makes the archive of a release's root file system; the package catalogue knows how.
pub type Rootfs = fn(&str) -> Option<Layer>;

impl Recipe {
    /// The tags.
    pub fn tags(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.tags.split(' ')
    }

    /// When it was built.
    pub fn built(&self) -> Timestamp {
        let (year, month, day) = self.built;
        Timestamp::from_date(year, month, day)
    }

    /// The files of its build context. `archive` makes a named root file system's archive, `program` an executable.
    pub fn context(
        &self,
        archive: impl Fn(&str, &str) -> Option<Rope>,
        program: impl Fn(&str, u64) -> Rope,
    ) -> Arc<Layer> {
        let mut entries = BTreeMap::new();
        for file in self.files.iter() {
            let (path, mode, content) = match file {
                File::Text(path, text) => (*path, 0o644, Some(Rope::from(*text))),
                File::Script(path, text) => (*path, 0o755, Some(Rope::from(*text))),
                File::Indented(path, text) => {
                    let lines = text.lines().map(|line| line.strip_prefix('\t').unwrap_or(line));
                    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
                    (*path, 0o755, Some(Rope::from(text.as_str())))
                }
                File::Rootfs(path, release) => (*path, 0o644, archive(path, release)),
                File::Message(path, text, size_bytes) => {
                    let tail = format!("{MESSAGE_MARK}{text}\0");
                    let mut content = program("message", size_bytes.saturating_sub(tail.len() as u64));
                    content.push_bytes(tail.as_bytes());
                    (*path, 0o755, Some(content))
                }
            };
            let Some(content) = content else { continue };
            for (slash, _) in path.match_indices('/') {
                let dir = BString::from(path.get(..slash).unwrap_or_default());
                let meta = Meta::root(0o755, self.built());
                entries.entry(dir).or_insert_with(|| Change::Put(Arc::new(Entry::dir(meta))));
            }
            let entry = Entry::file(Meta::root(mode, self.built()), content);
            entries.insert(BString::from(path), Change::Put(Arc::new(entry)));
        }
        Arc::new(Layer::new(entries))
    }
}

/// What stands before the text that an executable carries (`os::userland::message`).
const MESSAGE_MARK: &str = "\0text:\n";

/// Every recipe.
pub fn all() -> impl Iterator<Item = &'static Recipe> {
    RECIPES.iter().chain(super::shelf::recipes())
}

/// A file of the context of a repository's first recipe, of those that are not on the shelf.
pub fn file(repository: &str, name: &str) -> Option<File> {
    let recipe = RECIPES.iter().find(|recipe| recipe.repository == repository)?;
    let is_named = |file: &&File| matches!(file, File::Script(path, _) | File::Text(path, _) if *path == name);
    recipe.files.iter().find(is_named).copied()
}

/// The Hub paths of all repositories, once each or more.
pub fn repositories() -> impl Iterator<Item = &'static str> {
    all().map(|recipe| recipe.repository)
}

/// What the Hub tells of a repository, and its stars when the catalogue was made; nothing of a student's own.
pub fn about(path: &str) -> (&'static str, u32) {
    match path {
        "library/alpine" => {
            ("A minimal Docker image based on Alpine Linux with a complete package index and only 5 MB in size!", 8191)
        }
        "library/busybox" => ("Busybox base image.", 2501),
        "library/debian" => {
            ("Debian is a Linux distribution that's composed entirely of free and open-source software.", 4131)
        }
        "library/golang" => ("Go (golang) is a general purpose, higher-level, imperative programming language.", 4049),
        "library/hello-world" => ("Hello World! (an example of minimal Dockerization)", 1591),
        "library/httpd" => ("The Apache HTTP Server Project", 3844),
        "library/mysql" => {
            ("MySQL is a widely used, open-source relational database management system (RDBMS).", 11_914)
        }
        "library/nginx" => ("Official build of Nginx.", 16_009),
        "library/node" => {
            ("Node.js is a JavaScript-based platform for server-side and networking applications.", 10_954)
        }
        "library/postgres" => {
            ("The PostgreSQL object-relational database system provides reliability and data integrity.", 10_325)
        }
        "library/python" => {
            ("Python is an interpreted, interactive, object-oriented, open-source programming language.", 7342)
        }
        "library/redis" => {
            ("Redis is an open source key-value store that functions as a data structure server.", 10_352)
        }
        "library/registry" => {
            ("The Docker Registry 2.0 implementation for storing and distributing Docker images", 3392)
        }
        "library/ruby" => {
            ("Ruby is a dynamic, reflective, object-oriented, general-purpose, open-source programming language.", 2155)
        }
        "library/ubuntu" => ("Ubuntu is a Debian-based Linux operating system based on free software.", 13_441),
        _ => ("", 0),
    }
}

/// A text file of the context, from `static/catalogue`.
macro_rules! text {
    ($name:literal, $path:literal) => {
        File::Text($name, include_str!(concat!("../../../static/catalogue/", $path)))
    };
}

/// An executable script of the context, from `static/catalogue`.
macro_rules! script {
    ($name:literal, $path:literal) => {
        File::Script($name, include_str!(concat!("../../../static/catalogue/", $path)))
    };
}

const BASH: &str = "FROM scratch\nADD rootfs.tar.xz /\nCMD [\"bash\"]\n";

static RECIPES: &[Recipe] = &[
    Recipe {
        repository: "library/ubuntu",
        tags: "latest 20.04 focal",
        dockerfile: BASH,
        files: Cow::Borrowed(&[File::Rootfs("rootfs.tar.xz", "focal")]),
        built: (2021, 10, 16),
    },
    Recipe {
        repository: "library/ubuntu",
        tags: "18.04 bionic",
        dockerfile: BASH,
        files: Cow::Borrowed(&[File::Rootfs("rootfs.tar.xz", "bionic")]),
        built: (2021, 10, 11),
    },
    Recipe {
        repository: "library/debian",
        tags: "stretch-slim",
        dockerfile: BASH,
        files: Cow::Borrowed(&[File::Rootfs("rootfs.tar.xz", "stretch")]),
        built: (2021, 12, 2),
    },
    Recipe {
        repository: "library/debian",
        tags: "bullseye-slim",
        dockerfile: BASH,
        files: Cow::Borrowed(&[File::Rootfs("rootfs.tar.xz", "bullseye")]),
        built: (2021, 12, 2),
    },
    Recipe {
        repository: "library/ubuntu",
        tags: "22.04 jammy devel",
        dockerfile: BASH,
        files: Cow::Borrowed(&[File::Rootfs("rootfs.tar.xz", "jammy")]),
        built: (2021, 12, 16),
    },
    Recipe {
        repository: "library/debian",
        tags: "bookworm-slim testing-slim",
        dockerfile: BASH,
        files: Cow::Borrowed(&[File::Rootfs("rootfs.tar.xz", "bookworm")]),
        built: (2021, 12, 2),
    },
    Recipe {
        repository: "library/alpine",
        tags: "latest 3.15 3.15.0 3",
        dockerfile: "FROM scratch\nADD alpine-minirootfs-3.15.0-x86_64.tar.xz /\nCMD [\"/bin/sh\"]\n",
        files: Cow::Borrowed(&[File::Rootfs("alpine-minirootfs-3.15.0-x86_64.tar.xz", "v3.15")]),
        built: (2021, 11, 24),
    },
    Recipe {
        repository: "library/busybox",
        tags: "latest 1 1.34 1.34.1",
        dockerfile: "FROM scratch\nADD busybox.tar.xz /\nCMD [\"sh\"]\n",
        files: Cow::Borrowed(&[File::Rootfs("busybox.tar.xz", "busybox")]),
        built: (2021, 12, 8),
    },
    Recipe {
        repository: "library/hello-world",
        tags: "latest linux",
        dockerfile: "FROM scratch\nCOPY hello /\nCMD [\"/hello\"]\n",
        files: Cow::Borrowed(&[File::Message(
            "hello",
            include_str!("../../../static/catalogue/hello-world/message.txt"),
            13_256,
        )]),
        built: (2021, 9, 23),
    },
    Recipe {
        repository: "library/nginx",
        tags: "latest mainline 1 1.21 1.21.4",
        dockerfile: include_str!("../../../static/catalogue/nginx/Dockerfile"),
        files: Cow::Borrowed(&[
            script!("docker-entrypoint.sh", "nginx/docker-entrypoint.sh"),
            script!("10-listen-on-ipv6-by-default.sh", "nginx/10-listen-on-ipv6-by-default.sh"),
            script!("20-envsubst-on-templates.sh", "nginx/20-envsubst-on-templates.sh"),
            script!("30-tune-worker-processes.sh", "nginx/30-tune-worker-processes.sh"),
        ]),
        built: (2021, 12, 2),
    },
    Recipe {
        repository: "library/postgres",
        tags: "11 11.14 11-stretch 11.14-stretch",
        dockerfile: include_str!("../../../static/catalogue/postgres-11/Dockerfile"),
        files: Cow::Borrowed(&[script!("docker-entrypoint.sh", "postgres-11/docker-entrypoint.sh")]),
        built: (2021, 12, 2),
    },
    Recipe {
        repository: "kubernetescourse/slides-docker",
        tags: "latest",
        dockerfile: include_str!("../../../static/catalogue/slides/Dockerfile"),
        files: Cow::Borrowed(&[
            text!("index.html", "slides/index.html"),
            text!("modulo-3.html", "slides/modulo-3.html"),
            text!("css/slides.css", "slides/slides.css"),
            text!("slides.conf", "slides/slides.conf"),
        ]),
        built: (2021, 12, 9),
    },
];
