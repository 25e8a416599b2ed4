//! `docker image build --output`: where a build's result goes (docker/buildx `util/buildflags/export.go`).

use crate::base::path;
use crate::base::rope::Rope;
use crate::docker::cli::client::{Answer, Client, go_errno};
use crate::docker::cli::error::CliError;
use crate::docker::cli::transfer::{self, To};
use crate::docker::daemon::api::build::{BuildOutcome, BuildRequest, Export};
use crate::docker::daemon::api::image::PullOptions;
use crate::docker::image::reference::Reference;
use crate::os::fs::archive;

/// One `--output`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    kind: Kind,
    /// A path; `-` is standard output.
    dest: Option<String>,
    push: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Image,
    Archive,
    Local,
    Tar,
}

impl Output {
    /// Reads `type=local,dest=out` and the short forms `out` and `-`, and adds the names that it gives to `tags`.
    ///
    /// # Errors
    /// What is not known, or is not complete.
    pub fn parse(text: &str, tags: &mut Vec<Reference>) -> Answer<Self> {
        let fail = |why: String| CliError::new(format!("ERROR: {why}"));
        let mut out = Self { kind: Kind::Local, dest: None, push: false };
        if !text.contains('=') {
            out.kind = if text == "-" { Kind::Tar } else { Kind::Local };
            out.dest = Some(text.to_owned());
            return Ok(out);
        }
        let mut kind = None;
        for field in text.split(',') {
            let (key, value) = field.split_once('=').ok_or_else(|| fail(format!("invalid value {field}")))?;
            match key.trim().to_lowercase().as_str() {
                "type" => kind = Some(value.to_owned()),
                "dest" => out.dest = Some(value.to_owned()),
                "push" => out.push = value == "true",
                "name" => tags.push(tag(value)?),
                _ => {}
            }
        }
        out.kind = match kind.as_deref() {
            None => return Err(fail("type is required for output".to_owned())),
            Some("image") => Kind::Image,
            Some("registry") => {
                out.push = true;
                Kind::Image
            }
            Some("docker") if out.dest.is_none() => Kind::Image,
            Some("docker" | "oci") => Kind::Archive,
            Some("local") => Kind::Local,
            Some("tar") => Kind::Tar,
            Some(other) => return Err(fail(format!("failed to solve: exporter {} could not be found", quoted(other)))),
        };
        if out.dest.is_none() {
            match out.kind {
                Kind::Local => return Err(fail("dest is required for local output".to_owned())),
                Kind::Tar | Kind::Archive => out.dest = Some("-".to_owned()),
                Kind::Image => {}
            }
        }
        Ok(out)
    }

    /// `--push`.
    pub const fn push() -> Self {
        Self { kind: Kind::Image, dest: None, push: true }
    }

    /// What is asked of the builder for it.
    pub fn ask(&self, request: &mut BuildRequest) {
        request.export = match self.kind {
            Kind::Image | Kind::Archive => Export::Image,
            Kind::Local => Export::Local,
            Kind::Tar => Export::Tar,
        };
    }

    /// Checks the place before anything is built.
    ///
    /// # Errors
    /// Standard output is a terminal.
    pub fn check(&self, client: &Client) -> Answer {
        if self.dest.as_deref() == Some("-") && self.kind != Kind::Local && client.stdout_tty().is_some() {
            return Err(CliError::new("ERROR: dest file is required for tar exporter. refusing to write to console"));
        }
        Ok(())
    }

    /// Brings the result to its place.
    ///
    /// # Errors
    /// Files that can't be written; a push that is refused.
    pub async fn deliver(&self, client: &Client, outcome: &BuildOutcome, tags: &[Reference]) -> Answer {
        let dest = self.dest.clone().unwrap_or_default();
        match self.kind {
            Kind::Image if self.push => {
                for tag in tags {
                    let credentials = transfer::credentials(client, tag).await;
                    let options = PullOptions { credentials, ..PullOptions::default() };
                    let name = tag.familiar();
                    transfer::show(client, To::Nowhere, |sink| client.daemon.image_push(&name, options, sink)).await?;
                }
                Ok(())
            }
            Kind::Image => Ok(()),
            Kind::Archive => {
                let id = outcome.image.map(|id| id.to_string()).unwrap_or_default();
                let names: Vec<String> = tags.iter().map(Reference::familiar).collect();
                let tar =
                    client.daemon.image_save(if names.is_empty() { std::slice::from_ref(&id) } else { &names })?;
                write(client, &dest, &tar).await
            }
            Kind::Tar => write(client, &dest, outcome.files.as_ref().unwrap_or(&Rope::new())).await,
            Kind::Local => {
                let at = path::normalize(&path::join(&client.proc.cwd(), dest.as_bytes()));
                let files = outcome.files.clone().unwrap_or_default();
                let caller = client.proc.caller();
                let owner = Some((caller.cred.uid, caller.cred.gid));
                let mut dir = bstr::BString::from("/");
                for name in path::components(&at) {
                    dir = path::join(&dir, name);
                    if client.proc.stat(&dir).is_err() {
                        let made = client.proc.mkdir(&dir, 0o755);
                        made.map_err(|errno| CliError::new(format!("ERROR: mkdir {dir}: {}", go_errno(errno))))?;
                    }
                }
                let unpacked =
                    client.proc.mounts(|mounts| Ok(archive::unpack(mounts, &caller, &at, &files, false, owner)));
                match unpacked {
                    Ok(Ok(())) => Ok(()),
                    _ => Err(CliError::new(format!("ERROR: failed to solve: failed to write to {at}"))),
                }
            }
        }
    }
}

async fn write(client: &Client, dest: &str, content: &Rope) -> Answer {
    if dest == "-" {
        return client.proc.write_rope(1, content).await.map_err(CliError::write);
    }
    let written = client.proc.write_file(dest.as_bytes(), content).await;
    written.map_err(|errno| CliError::new(format!("ERROR: open {dest}: {}", go_errno(errno))))
}

/// A name that an image is to get.
///
/// # Errors
/// It can't be one.
pub fn tag(text: &str) -> Answer<Reference> {
    let tag = Reference::parse(text).map_err(|error| CliError::new(error.to_string()))?;
    if tag.digest().is_some() {
        return Err(CliError::new("Error response from daemon: refusing to create a tag with a digest reference"));
    }
    Ok(tag.with_default_tag())
}

fn quoted(text: &str) -> String {
    crate::docker::dockerfile::quote::go_quote(text)
}

/// What `--metadata-file` holds (docker/buildx `commands/build.go` `writeMetadataFile`).
pub fn metadata(outcome: &BuildOutcome, tags: &[Reference]) -> String {
    let mut fields: Vec<(&str, String)> = Vec::new();
    if let Some(id) = outcome.image {
        fields.push(("containerimage.config.digest", id.to_string()));
        fields.push(("containerimage.digest", id.to_string()));
        if !tags.is_empty() {
            fields.push(("image.name", tags.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")));
        }
    }
    let lines: Vec<String> =
        fields.iter().map(|(key, value)| format!("  {}: {}", quoted(key), quoted(value))).collect();
    if lines.is_empty() { "{}\n".to_owned() } else { format!("{{\n{}\n}}\n", lines.join(",\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_as_buildx_reads_them() {
        let read = |text: &str| {
            let mut tags = Vec::new();
            Output::parse(text, &mut tags).map(|out| (out.kind, out.dest, out.push, tags.len())).map_err(|error| {
                match error {
                    CliError::Says(_, text) | CliError::Refused(_, text, _) => text,
                    CliError::Status(_) => String::new(),
                }
            })
        };
        let dest = |text: &str| Some(text.to_owned());
        assert_eq!(read("out"), Ok((Kind::Local, dest("out"), false, 0)));
        assert_eq!(read("-"), Ok((Kind::Tar, dest("-"), false, 0)));
        assert_eq!(read("type=tar,dest=a.tar"), Ok((Kind::Tar, dest("a.tar"), false, 0)));
        assert_eq!(read("type=docker"), Ok((Kind::Image, None, false, 0)));
        assert_eq!(read("type=oci,dest=a.tar"), Ok((Kind::Archive, dest("a.tar"), false, 0)));
        assert_eq!(read("type=registry,name=me/app"), Ok((Kind::Image, None, true, 1)));
        assert_eq!(read("type=local"), Err("ERROR: dest is required for local output".to_owned()));
        assert_eq!(read("dest=x"), Err("ERROR: type is required for output".to_owned()));
        assert_eq!(
            read("type=zip,dest=x"),
            Err("ERROR: failed to solve: exporter \"zip\" could not be found".to_owned())
        );
    }
}
