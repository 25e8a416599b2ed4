//! Why a build fails, in its builder's words.
//!
//! The texts are BuildKit's; where the classic builder says it otherwise, [`BuildError::classic`] does. Exit status and
//! excerpt come from the variant, never from the text.

use crate::base::errno::Errno;
use crate::docker::dockerfile::ignore::IgnoreError;
use crate::docker::dockerfile::lint::CheckError;
use crate::docker::dockerfile::mount::MountError;
use crate::docker::dockerfile::quote::go_quote;
use crate::docker::dockerfile::words::WordError;
use crate::docker::dockerfile::{ParseError, Span};
use crate::docker::image::change::ChangeError;
use crate::docker::image::reference::ReferenceError;
use crate::docker::image::store::StoreError;
use crate::os::fs::packed::PackedError;
use crate::os::fs::tar::TarError;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The Dockerfile can't be read.
    #[error("{0}")]
    Parse(#[from] ParseError),
    /// BuildKit `dockerui/config.go`.
    #[error("failed to read dockerfile: open {0}: no such file or directory")]
    NoDockerfile(String),
    /// BuildKit `convert.go`: no bytes at all.
    #[error("the Dockerfile cannot be empty")]
    EmptyDockerfile {
        /// Its name.
        name: String,
    },
    /// A word can't be expanded.
    #[error("{0}")]
    Word(#[from] WordError),
    /// BuildKit `convert.go`: `FROM $nothing`.
    #[error("base name ({0}) should not be blank")]
    BlankBase(String),
    /// BuildKit `convert.go`: `FROM Nginx`.
    #[error("failed to parse stage name {}: {problem}", go_quote(name))]
    StageName {
        /// As written.
        name: String,
        /// What is wrong.
        problem: ReferenceError,
    },
    /// BuildKit `convert.go` `resolveTarget`.
    #[error("target stage {} could not be found", go_quote(.0))]
    Target(String),
    /// BuildKit `convert.go` `findStateByIndex`: a number that no stage has.
    #[error("invalid stage index {0}")]
    StageIndex(i64),
    /// BuildKit `convert_runmount.go`: a mount over everything.
    #[error("invalid mount target \"/\"")]
    MountTarget,
    /// containerd `platforms.Parse`.
    #[error("failed to parse platform {}: {}: cannot parse platform specifier: invalid argument", .0, go_quote(.0))]
    Platform(String),
    /// BuildKit `validations.go`.
    #[error("circular dependency detected on stage: {0}")]
    Circular(String),
    /// BuildKit `convert.go`: COPY from a later stage.
    #[error(
        "cannot copy from stage {}, it needs to be defined before current stage {}",
        go_quote(from),
        go_quote(stage)
    )]
    LaterStage {
        /// The stage that is copied from.
        from: String,
        /// The stage that copies.
        stage: String,
    },
    /// An image that can't be had.
    #[error("{name}: failed to resolve source metadata for {reference}: {}", why.buildkit(reference))]
    Pull {
        /// As written.
        name: String,
        /// Canonical.
        reference: String,
        /// The registry's answer.
        why: PullProblem,
    },
    /// A file to copy that is not there.
    #[error(
        "failed to compute cache key: failed to calculate checksum of ref {snapshot}: {}: not found",
        go_quote(path)
    )]
    SourceNotFound {
        /// BuildKit's name of the snapshot it looked in.
        snapshot: String,
        /// The path with a leading slash.
        path: String,
        /// As written.
        written: String,
        /// `COPY` or `ADD`.
        keyword: &'static str,
        /// Whether it was looked for in the context, and not in a stage or image.
        in_context: bool,
    },
    /// BuildKit `source/http`: `ADD https://…` of a host that there is not in here.
    #[error("failed to load cache key: Get {}: dial tcp: lookup {host}: no such host", go_quote(url))]
    NoHost {
        /// The address.
        url: String,
        /// Its host.
        host: String,
    },
    /// BuildKit `dockerui/context.go`: a context from an address of a host that there is not in here.
    #[error(
        "failed to read downloaded context: failed to load cache key: Get {}: dial tcp: lookup {host}: no such host",
        go_quote(url)
    )]
    RemoteContext {
        /// The address.
        url: String,
        /// Its host.
        host: String,
    },
    /// BuildKit `source/git/source.go`: git could not fetch, and what it said.
    #[error("{during}failed to load cache key: failed to fetch remote {url}: git stderr:\n{why}\n: exit status 128")]
    GitFetch {
        /// What asked for it, with a colon; empty for ADD.
        during: &'static str,
        /// The repository.
        url: String,
        /// git's words.
        why: String,
    },
    /// BuildKit `source/git/source.go`: no such branch.
    #[error("{during}failed to load cache key: repository does not contain ref {reference}, output: \"\"")]
    GitRef {
        /// What asked for it, with a colon; empty for ADD.
        during: &'static str,
        /// The branch.
        reference: String,
    },
    /// BuildKit `source/git/source.go`: no such folder in the repository.
    #[error(
        "{during}failed to open subdir {folder}: open /var/lib/docker/tmp/buildkit-mount{mount}/{folder}: no such file or directory"
    )]
    GitFolder {
        /// What asked for it, with a colon; empty for ADD.
        during: &'static str,
        /// The folder.
        folder: String,
        /// The number in the name of a temporary mount.
        mount: u64,
    },
    /// Classic `copy.go`: wildcards that match nothing.
    #[error("no source files were specified")]
    NoSourceFiles {
        /// `COPY` or `ADD`.
        keyword: &'static str,
    },
    /// Classic `copy.go`: `COPY a b c` with c no folder.
    #[error(
        "When using {keyword} with more than one source file, the destination must be a directory and end with a /"
    )]
    ManySources {
        /// `COPY` or `ADD`.
        keyword: &'static str,
    },
    /// Classic `remotecontext`: `COPY ../x`.
    #[error("forbidden path outside the build context: {path} ()")]
    OutsideContext {
        /// As written.
        path: String,
        /// `COPY` or `ADD`.
        keyword: &'static str,
    },
    /// tonistiigi/fsutil `copy.go`: a file where a folder is.
    #[error("cannot replace to directory {0} with file")]
    ReplaceDirectory(String),
    /// tonistiigi/fsutil `copy.go`: a folder where a file is.
    #[error("cannot copy to non-directory: {0}")]
    NonDirectory(String),
    /// BuildKit `convert_copy.go`.
    #[error("invalid chmod parameter: '{0}'. it should be octal string and between 0 and 07777")]
    Chmod(String),
    /// moby/sys/user: `--chown=nobody-at-all`.
    #[error("unable to find user {0}: no matching entries in passwd file")]
    User(String),
    /// moby/sys/user: `--chown=:nobody-at-all`.
    #[error("unable to find group {0}: no matching entries in group file")]
    Group(String),
    /// A pattern that can't be read.
    #[error("{0}")]
    Pattern(#[from] IgnoreError),
    /// An archive that can't be unpacked.
    #[error("{0}")]
    Tar(#[from] TarError),
    /// A compression that can't be undone.
    #[error("{0}")]
    Packed(#[from] PackedError),
    /// A refusal of the file system.
    #[error("failed to copy files: {path}: {}", errno.strerror().to_lowercase())]
    File {
        /// What was written.
        path: String,
        /// Why it could not be.
        errno: Errno,
    },
    /// A command that failed (BuildKit `solver/llbsolver`, `ExitError`).
    #[error("process {} did not complete successfully: exit code: {code}", go_quote(command))]
    Exit {
        /// The words, joined by blanks.
        command: String,
        /// Its status.
        code: i32,
    },
    /// A command that can't start.
    #[error("process {} did not complete successfully: exit code: {}", go_quote(command), 1)]
    Start {
        /// The words, joined by blanks.
        command: String,
        /// The first word and why it does not start: `exec: "/bin/sh": stat /bin/sh: no such file or directory`.
        why: String,
    },
    /// moby `dispatchers.go`, `RUN` in an image without files.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A value that an instruction can't have.
    #[error("{0}")]
    Change(#[from] ChangeError),
    /// BuildKit `convert.go`.
    #[error("onbuild trigger should be a single expression")]
    OnbuildTrigger,
    /// BuildKit `dispatchRunMounts`.
    #[error("{0}")]
    Mount(#[from] MountError),
    /// BuildKit `session/secrets`.
    #[error("failed to solve with frontend dockerfile.v0: secret {0}: not found")]
    Secret(String),
    /// BuildKit `session/sshforward`.
    #[error("failed to solve with frontend dockerfile.v0: no SSH key {} forwarded from the client", go_quote(.0))]
    SshKey(String),
    /// Classic builder: a feature that only BuildKit has.
    #[error(
        "the --{0} option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled"
    )]
    NeedsBuildKit(&'static str),
    /// Classic builder: here-documents.
    #[error(
        "the heredoc syntax requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled"
    )]
    HeredocNeedsBuildKit,
    /// BuildKit `convert_copy.go`, moby `copy.go` `errOnSourceDownload`.
    #[error("source can't be a URL for COPY")]
    UrlForCopy,
    /// moby `daemon/create_unix.go`: a file where the image wants a volume.
    #[error("cannot mount volume over existing file, file exists /var/lib/docker/overlay2/{folder}/merged{path}")]
    VolumeOverFile {
        /// The container's folder.
        folder: String,
        /// The file.
        path: String,
    },
    /// BuildKit `client/llb/exec.go` `ExecOp.Validate`: `RUN []`.
    #[error("failed to marshal LLB definition: arguments are required")]
    NoArguments,
    /// moby `daemon/container.go`: `RUN []` in an image that has no command either.
    #[error("no command specified")]
    NoCommand,
    /// moby `builder.go`.
    #[error("No image was generated. Is your Dockerfile empty?")]
    NoImage,
    /// BuildKit `convert.go`: `FROM --platform=$nothing`.
    #[error("empty platform value from expression {0}")]
    EmptyPlatform(String),
    /// A `# check=` directive that can't be read.
    #[error("{0}")]
    Check(#[from] CheckError),
    /// BuildKit `linter.go`: `# check=error=true`.
    #[error("lint violation found for rules: {0}")]
    Lint(String),
    /// BuildKit `util/entitlements`: what the daemon allows nobody.
    #[error("granting entitlement {0} is not allowed by build daemon configuration")]
    EntitlementRefused(String),
    /// BuildKit `util/entitlements`: what the client did not allow.
    #[error("{0} is not allowed")]
    Entitlement(&'static str),
    /// opencontainers/go-digest `ErrDigestInvalidFormat`: `ADD --checksum=x`.
    #[error("invalid checksum digest format")]
    ChecksumFormat,
    /// BuildKit `convert.go` `dispatchCopy`.
    #[error("checksum can't be specified for {0}")]
    Checksum(&'static str),
    /// What this simulation does not do.
    #[error("{0} is not simulated")]
    NotSimulated(String),
    /// Ctrl-C.
    #[error("context canceled")]
    Canceled,
}

/// Why an image can't be pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullProblem {
    /// No such repository, or not for us.
    Denied,
    /// No such tag or digest.
    NotFound,
    /// No network.
    Unreachable,
    /// The image is for other platforms.
    Platform,
}

impl PullProblem {
    /// BuildKit's words.
    pub fn buildkit(self, reference: &str) -> String {
        match self {
            Self::Denied => "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed".to_owned(),
            Self::NotFound => format!("{reference}: not found"),
            Self::Platform => "no match for platform in manifest: not found".to_owned(),
            Self::Unreachable => "failed to do request: dial tcp: lookup registry-1.docker.io: no such host".to_owned(),
        }
    }
}

impl BuildError {
    /// The classic builder's words.
    pub fn classic(&self) -> String {
        match self {
            Self::EmptyDockerfile { name } => format!("the Dockerfile ({name}) cannot be empty"),
            Self::Target(name) => format!("failed to reach build target {name} in Dockerfile"),
            Self::StageName { problem, .. } => problem.to_string(),
            Self::Pull { reference, why, .. } => {
                let familiar = reference.strip_prefix("docker.io/library/").unwrap_or(reference);
                let familiar = familiar.strip_prefix("docker.io/").unwrap_or(familiar);
                match why {
                    PullProblem::Denied => {
                        let repository = familiar.rsplit_once(':').map_or(familiar, |(repository, _)| repository);
                        format!(
                            "pull access denied for {repository}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"
                        )
                    }
                    PullProblem::NotFound | PullProblem::Platform => {
                        format!("manifest for {familiar} not found: manifest unknown: manifest unknown")
                    }
                    PullProblem::Unreachable => {
                        "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host"
                            .to_owned()
                    }
                }
            }
            Self::SourceNotFound { written, keyword, in_context, .. } => {
                let name = written.trim_start_matches('/');
                let prefix =
                    if *in_context { "file not found in build context or excluded by .dockerignore: " } else { "" };
                format!("{keyword} failed: {prefix}stat {name}: file does not exist")
            }
            Self::NoSourceFiles { keyword } | Self::OutsideContext { keyword, .. } => {
                format!("{keyword} failed: {self}")
            }
            Self::UrlForCopy => format!("COPY failed: {self}"),
            Self::User(_) | Self::Group(_) => format!("unable to convert uid/gid chown string to host mapping: {self}"),
            Self::Exit { command, code } => format!("The command '{command}' returned a non-zero code: {code}"),
            Self::Start { why, .. } => format!(
                "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: {why}: unknown"
            ),
            other => other.to_string(),
        }
    }

    /// The client's exit status after the classic builder: that of the command that failed, else 1.
    pub fn classic_code(&self) -> i32 {
        match self {
            Self::Exit { code, .. } => *code,
            Self::Start { .. } => 127,
            _ => 1,
        }
    }

    /// Whether a Dockerfile was read, so that the error is something that a check found.
    pub const fn is_of_the_text(&self) -> bool {
        !matches!(
            self,
            Self::NoDockerfile(_)
                | Self::Canceled
                | Self::RemoteContext { .. }
                | Self::GitFetch { .. }
                | Self::GitRef { .. }
                | Self::GitFolder { .. }
        )
    }

    /// Joins the error with the lines it is about; an error that knows its own lines keeps them.
    pub fn at(self, span: Span) -> Located {
        let span = match &self {
            Self::Parse(parse) if parse.span != Span::default() => parse.span,
            _ => span,
        };
        Located { error: self, span: Some(span) }
    }
}

/// An error and, where it is about an instruction, that instruction's lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// What went wrong.
    pub error: BuildError,
    /// Where.
    pub span: Option<Span>,
}

impl<E: Into<BuildError>> From<E> for Located {
    fn from(error: E) -> Self {
        let error = error.into();
        let span = match &error {
            BuildError::Parse(parse) if parse.span != Span::default() => Some(parse.span),
            _ => None,
        };
        Self { error, span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The phrase book: both builders' words for what students meet.
    #[test]
    fn both_builders_have_their_own_words() {
        let exit = BuildError::Exit { command: "/bin/sh -c false".into(), code: 1 };
        assert_eq!(exit.to_string(), "process \"/bin/sh -c false\" did not complete successfully: exit code: 1");
        assert_eq!(exit.classic(), "The command '/bin/sh -c false' returned a non-zero code: 1");
        let missing = BuildError::SourceNotFound {
            snapshot: "a::b".into(),
            path: "/nope".into(),
            written: "nope".into(),
            keyword: "COPY",
            in_context: true,
        };
        assert_eq!(
            missing.to_string(),
            "failed to compute cache key: failed to calculate checksum of ref a::b: \"/nope\": not found"
        );
        assert_eq!(
            missing.classic(),
            "COPY failed: file not found in build context or excluded by .dockerignore: stat nope: file does not exist"
        );
        let pull =
            |why| BuildError::Pull { name: "nope".into(), reference: "docker.io/library/nope:latest".into(), why };
        assert_eq!(
            pull(PullProblem::Denied).to_string(),
            "nope: failed to resolve source metadata for docker.io/library/nope:latest: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"
        );
        assert_eq!(
            pull(PullProblem::NotFound).classic(),
            "manifest for nope:latest not found: manifest unknown: manifest unknown"
        );
    }
}
