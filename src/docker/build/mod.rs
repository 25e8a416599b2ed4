//! Builds: plan, cache, context, execution, progress.
//!
//! A build turns a Dockerfile and a context into an image in the store. It knows no terminal and no client: it tells
//! what it does in [`BuildEvent`](crate::docker::daemon::api::build::BuildEvent)s. What it needs from outside is a
//! [`world::World`]; the future can be dropped at any await, and what it held in the store is given back.

pub mod buildkit;
pub mod cache;
pub mod classic;
pub mod context;
pub mod error;
pub mod files;
pub mod foresee;
pub mod plan;
pub mod progress;
pub mod recipe;
pub mod remedy;
pub mod sandbox;
pub mod trace;
pub mod waste;
pub mod world;

#[cfg(test)]
mod tests;

use buildkit::Exported;
use error::Located;
use world::World;

use crate::docker::daemon::api::build::{
    BuildFailure, BuildOutcome, BuildRequest, BuildSink, BuilderVersion, SourceExcerpt,
};

/// Builds an image.
///
/// # Errors
/// Whatever makes a build fail, in the words of the builder that was asked for.
pub async fn build(world: &World, request: &BuildRequest, sink: &BuildSink) -> Result<BuildOutcome, BuildFailure> {
    let start = (world.now)();
    let built = match request.version {
        BuilderVersion::BuildKit => buildkit::build(world, request, sink).await,
        BuilderVersion::Classic => classic::build(world, request, sink).await.map(Exported::Image),
    };
    let outcome = |image, files, check_failure| {
        Ok(BuildOutcome { image, files, check_failure, took: (world.now)().since(start) })
    };
    match built {
        Ok(Exported::Image(image)) => outcome(Some(image), None, None),
        Ok(Exported::Files(files)) => outcome(None, Some(files), None),
        Ok(Exported::Nothing | Exported::Foreseen(_)) => outcome(None, None, None),
        Err(located) if request.check && located.error.is_of_the_text() => {
            outcome(None, None, Some(failure(request, &located)))
        }
        Err(located) => Err(failure(request, &located)),
    }
}

fn failure(request: &BuildRequest, located: &Located) -> BuildFailure {
    if request.version == BuilderVersion::Classic {
        return BuildFailure { message: located.error.classic(), source: None, code: located.error.classic_code() };
    }
    let text = || String::from_utf8_lossy(&request.dockerfile.to_vec()).into_owned();
    let source = located.span.map(|span| SourceExcerpt { file: request.dockerfile_name.clone(), text: text(), span });
    BuildFailure { message: located.error.to_string(), source, code: 1 }
}
