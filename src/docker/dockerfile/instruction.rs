//! Typed instructions: what a Dockerfile says, before any variable is expanded.

use std::collections::BTreeMap;

use super::error::Span;
use super::lines::{Directives, Heredoc};

/// A whole Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// The text, for excerpts.
    pub text: String,
    /// Directives.
    pub directives: Directives,
    /// The `ARG`s before the first `FROM`.
    pub global_args: Vec<Instruction>,
    /// The stages; at least one.
    pub stages: Vec<Stage>,
    /// Continuations with empty lines.
    pub empty_continuations: Vec<Span>,
    /// The comments that stand right above an instruction, by its line.
    pub comments: BTreeMap<usize, String>,
}

/// A `FROM` and what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The keyword as written.
    pub keyword: String,
    /// An image or an earlier stage, variables not expanded.
    pub base: String,
    /// The name after `AS`, in lower case; empty where there is none.
    pub name: String,
    /// `AS` and the name as written.
    pub as_written: Option<(String, String)>,
    /// The value of `--platform`.
    pub platform: Option<String>,
    /// `FROM …` on one line.
    pub code: String,
    /// Where it stands.
    pub span: Span,
    /// The instructions.
    pub instructions: Vec<Instruction>,
}

/// An instruction other than `FROM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// The keyword as written.
    pub keyword: String,
    /// All of it on one line.
    pub code: String,
    /// Where it stands.
    pub span: Span,
    /// What it says.
    pub command: Command,
}

/// What an instruction says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `ADD`.
    Add(Copy),
    /// `ARG`.
    Arg(Vec<Arg>),
    /// `CMD`.
    Cmd(CommandLine),
    /// `COPY`.
    Copy(Copy),
    /// `ENTRYPOINT`.
    Entrypoint(CommandLine),
    /// `ENV`.
    Env(Vec<Pair>),
    /// `EXPOSE`, sorted.
    Expose(Vec<String>),
    /// `HEALTHCHECK`.
    Healthcheck(Healthcheck),
    /// `LABEL`.
    Label(Vec<Pair>),
    /// `MAINTAINER`.
    Maintainer(String),
    /// `ONBUILD`, with the instruction's text.
    Onbuild(String),
    /// `RUN`.
    Run(Run),
    /// `SHELL`.
    Shell(Vec<String>),
    /// `STOPSIGNAL`.
    StopSignal(String),
    /// `USER`.
    User(String),
    /// `VOLUME`.
    Volume(Vec<String>),
    /// `WORKDIR`.
    Workdir(String),
}

impl Command {
    /// The instruction's name in capitals.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "ADD",
            Self::Arg(_) => "ARG",
            Self::Cmd(_) => "CMD",
            Self::Copy(_) => "COPY",
            Self::Entrypoint(_) => "ENTRYPOINT",
            Self::Env(_) => "ENV",
            Self::Expose(_) => "EXPOSE",
            Self::Healthcheck(_) => "HEALTHCHECK",
            Self::Label(_) => "LABEL",
            Self::Maintainer(_) => "MAINTAINER",
            Self::Onbuild(_) => "ONBUILD",
            Self::Run(_) => "RUN",
            Self::Shell(_) => "SHELL",
            Self::StopSignal(_) => "STOPSIGNAL",
            Self::User(_) => "USER",
            Self::Volume(_) => "VOLUME",
            Self::Workdir(_) => "WORKDIR",
        }
    }
}

/// `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The name.
    pub key: String,
    /// The value, quotes still in it.
    pub value: String,
    /// Written `name value`, the old way.
    pub legacy: bool,
}

/// `name` or `name=default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arg {
    /// The name.
    pub key: String,
    /// The default.
    pub default: Option<String>,
}

/// A command in shell form or exec form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// One text in shell form, the arguments in exec form.
    pub words: Vec<String>,
    /// Whether a shell is put in front.
    pub shell_form: bool,
    /// Here-documents in it.
    pub heredocs: Vec<Heredoc>,
}

/// `RUN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The command.
    pub line: CommandLine,
    /// The values of `--mount`, variables not expanded.
    pub mounts: Vec<String>,
    /// The value of `--network`: `default`, `none` or `host`.
    pub network: Option<String>,
    /// The value of `--security`: `sandbox` or `insecure`.
    pub security: Option<String>,
}

/// `COPY` and `ADD`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Copy {
    /// Paths, patterns and, for `ADD`, addresses.
    pub sources: Vec<String>,
    /// Here-documents as files.
    pub documents: Vec<Heredoc>,
    /// Where to.
    pub destination: String,
    /// `--from`.
    pub from: Option<String>,
    /// `--chown`.
    pub chown: Option<String>,
    /// `--chmod`.
    pub chmod: Option<String>,
    /// `--link`.
    pub link: bool,
    /// `--parents`.
    pub parents: bool,
    /// `--exclude`.
    pub exclude: Vec<String>,
    /// `--keep-git-dir`.
    pub keep_git_dir: bool,
    /// `--checksum`.
    pub checksum: Option<String>,
    /// `--unpack`.
    pub unpack: Option<bool>,
}

/// `HEALTHCHECK`. Times are nanoseconds, 0 where not given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Healthcheck {
    /// `NONE`; `CMD` and arguments; `CMD-SHELL` and a command.
    pub test: Vec<String>,
    /// `--interval`.
    pub interval_nanos: i64,
    /// `--timeout`.
    pub timeout_nanos: i64,
    /// `--start-period`.
    pub start_period_nanos: i64,
    /// `--start-interval`.
    pub start_interval_nanos: i64,
    /// `--retries`.
    pub retries: i64,
}
