//! A context that BuildKit fetches itself: a git repository (`source/git`, `frontend/dockerui/context.go`).

use super::super::error::{BuildError, Located};
use super::super::trace::Trace;
use super::super::world::World;
use crate::docker::daemon::api::build::{BuildContext, BuildRequest};
use crate::docker::registry::git::{Branch, Remote, Repository};
use crate::os::fs::layer::Change;
use crate::os::fs::node::Content;

/// The request with the files of the address that it names.
pub(super) async fn fetch(
    world: &World,
    request: &BuildRequest,
    address: &str,
    trace: &Trace,
) -> Result<BuildRequest, Located> {
    let Some(remote) = Remote::parse(address) else {
        let step = trace.start("[internal] load remote build context");
        (world.sleep)(World::duration(20, 0, 1)).await;
        let error = BuildError::RemoteContext { url: address.to_owned(), host: host_of(address) };
        step.fail(without_prefix(&error));
        return Err(error.into());
    };
    let step = trace.start(format!("[internal] load git source {address}"));
    let log = step.log();
    (world.sleep)(World::duration(20, 0, 1)).await;
    if !world.cache.borrow_mut().use_base(format!("git {}", remote.url)) {
        // git's own words; the daemon keeps a repository in the same place as a layer.
        let place = world.identity();
        log(false, format!("Initialized empty Git repository in /var/lib/docker/overlay2/{place}/diff/\n").as_bytes());
    }
    (world.sleep)(World::duration(40, 0, 1)).await;
    match look_up(world, &remote, "failed to read dockerfile: ") {
        Ok((repository, branch)) => {
            let id = branch.id();
            if remote.reference.is_empty() {
                log(false, format!("ref: refs/heads/{}\tHEAD\n{id}\tHEAD\n", branch.name).as_bytes());
            } else {
                log(false, format!("{id}\trefs/heads/{}\n", branch.name).as_bytes());
            }
            let files = branch.files(&remote.folder, (world.now)()).unwrap_or_default();
            let is_known =
                world.cache.borrow_mut().use_base(format!("git {} {id} {}", repository.address, remote.folder));
            if is_known {
                step.cached();
            } else {
                (world.sleep)(World::duration(180, files.size_bytes(), 10)).await;
                log(
                    true,
                    format!("From {}\n * [new branch]      {} -> {}\n", remote.url, branch.name, branch.name)
                        .as_bytes(),
                );
                step.done();
            }
            let text = match files.get(request.dockerfile_name.as_bytes()) {
                Some(Change::Put(entry)) => match &entry.content {
                    Content::File(text) => Some(text.clone()),
                    _ => None,
                },
                _ => None,
            };
            Ok(BuildRequest {
                is_dockerfile_missing: text.is_none(),
                dockerfile: text.unwrap_or_default(),
                context: BuildContext { files: files.into(), ..BuildContext::default() },
                ..request.clone()
            })
        }
        Err(error) => {
            if let BuildError::GitFetch { why, .. } = &error {
                log(true, format!("{why}\n").as_bytes());
            }
            step.fail(without_prefix(&error));
            Err(error.into())
        }
    }
}

/// The repository and the branch of an address; `during` stands before the words of an error.
pub(super) fn look_up(
    world: &World,
    remote: &Remote,
    during: &'static str,
) -> Result<(&'static Repository, &'static Branch), BuildError> {
    let Some(repository) = remote.repository() else {
        let why = if remote.is_host_known() {
            // What github.com answers for what there is not: it might be private.
            format!("fatal: could not read Username for 'https://{}': terminal prompts disabled", remote.host)
        } else {
            format!("fatal: unable to access '{}/': Could not resolve host: {}", remote.url, remote.host)
        };
        return Err(BuildError::GitFetch { during, url: remote.url.clone(), why });
    };
    let branch = repository
        .find(&remote.reference)
        .ok_or_else(|| BuildError::GitRef { during, reference: remote.reference.clone() })?;
    if branch.files(&remote.folder, (world.now)()).is_none() {
        let mount = world.random.borrow_mut().below(1_000_000_000);
        return Err(BuildError::GitFolder { during, folder: remote.folder.clone(), mount });
    }
    Ok((repository, branch))
}

fn host_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', ':', '?', '#']).next().unwrap_or_default().to_owned()
}

/// A vertex tells its error without what asked for it.
fn without_prefix(error: &BuildError) -> String {
    let text = error.to_string();
    text.rsplit_once("failed to load cache key: ").map_or_else(|| text.clone(), |(_, rest)| rest.to_owned())
}
