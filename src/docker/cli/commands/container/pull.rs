//! Making a container, and getting its image first where it is missing (docker/cli `createContainer`).

use crate::docker::cli::client::{Answer, Client, go_errno};
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::transfer::{self, To};
use crate::docker::cli::value::check_platform;
use crate::docker::daemon::api::Class;
use crate::docker::daemon::api::container::CreateRequest;
use crate::docker::image::reference::{AnyReference, Reference};
use crate::os::kernel::Open;

/// Checks what does not need the daemon.
///
/// # Errors
/// A `--pull` that is none, a platform that is not ours.
pub fn check(given: &Invocation) -> Result<(), String> {
    let pull = given.string("pull").unwrap_or_default();
    if !matches!(pull.as_str(), "" | "always" | "missing" | "never") {
        return Err(format!("invalid pull option: '{pull}': must be one of \"always\", \"missing\" or \"never\""));
    }
    given.string("platform").map_or(Ok(()), |platform| check_platform(&platform))
}

/// Makes the container and returns its id.
///
/// # Errors
/// Whatever keeps it from being made; `docker run` frames it in its own way.
pub async fn create(client: &Client, given: &Invocation, request: CreateRequest) -> Answer<String> {
    let cidfile = given.string("cidfile").filter(|path| !path.is_empty());
    if let Some(path) = &cidfile
        && client.proc.stat(path.as_bytes()).is_ok()
    {
        let text = format!("container ID file found, make sure the other container isn't running or delete {path}");
        return Err(CliError::new(text));
    }
    let reference = match AnyReference::parse(&request.config.image) {
        Ok(AnyReference::Named(reference)) => Some(reference.with_default_tag()),
        Ok(AnyReference::Id(_)) => None,
        Err(error) => return Err(CliError::new(error.to_string())),
    };
    let pull = given.string("pull").unwrap_or_default();
    if let (Some(reference), "always") = (&reference, pull.as_str()) {
        get(client, given, reference).await?;
    }
    let created = match (client.daemon.container_create(request.clone()), &reference) {
        (Err(error), Some(reference))
            if error.class() == Class::NotFound && matches!(pull.as_str(), "" | "missing") =>
        {
            if !given.bool("quiet") {
                client.complain(format!("Unable to find image '{}' locally", reference.familiar())).await;
            }
            get(client, given, reference).await?;
            client.daemon.container_create(request)?
        }
        (created, _) => created?,
    };
    for warning in &created.warnings {
        client.complain(format!("WARNING: {warning}")).await;
    }
    if let Some(path) = cidfile {
        let fail =
            |errno| CliError::new(format!("failed to create the container ID file: open {path}: {}", go_errno(errno)));
        let fd = client.proc.open(path.as_bytes(), Open { create: Some(0o666), ..Open::WRITE }).map_err(fail)?;
        client.proc.write(fd, created.id.as_bytes()).await.map_err(fail)?;
        client.proc.close(fd).map_err(fail)?;
    }
    Ok(created.id)
}

async fn get(client: &Client, given: &Invocation, reference: &Reference) -> Answer {
    let to = if given.bool("quiet") { To::Nowhere } else { To::Stderr };
    transfer::pull(client, reference, false, given.string("platform"), to).await
}
