//! BuildKit: stages side by side, each step from the cache or done, one image at the end.
//!
//! Vertices, histories and errors are those of `frontend/dockerfile/dockerfile2llb` and moby's exporter. A stage is a task
//! that waits where it needs another one; base images and the context come meanwhile. What two stages have in common, a
//! base or the same steps on it, is one vertex and done once, as in BuildKit's solver.

mod base;
mod context;
mod copy;
mod export;
mod inline;
mod lookup;
mod mount;
mod remote;
mod run;
mod state;
mod step;
mod together;

pub(super) use copy::{copy_options, destination, write_copy};

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::cache::CacheKey;
use super::context::{transfer_file_size_bytes, transfer_size_bytes};
use super::error::{BuildError, Located};
use super::plan::{self, Base, Plan, PlannedStage};
use super::trace::Trace;
use super::world::World;
use crate::base::digest::ImageId;
use crate::base::rope::Rope;
use crate::base::sort::Arrange;
use crate::docker::daemon::api::build::{BuildEvent, BuildRequest, BuildSink, Export};
use crate::docker::dockerfile::instruction::Command;
use crate::docker::dockerfile::lint::Warning;
use crate::docker::dockerfile::{self, Dockerfile};
use crate::os::fs::layer::Layer;
use crate::os::fs::tree::Tree;
use inline::Imported;
use state::{BaseImage, State};
use step::makes_layer;
use together::{Bell, Task};

/// The comment of BuildKit's history lines.
const COMMENT: &str = "buildkit.dockerfile.v0";
/// The most bytes that a step's layer or a mount may hold in memory.
const MAX_RESIDENT_BYTES: u64 = 1 << 29;

/// Arguments that every RUN sees without an ARG, in small letters too.
const PROXIES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/// What the Dockerfile is gone through for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// For its image.
    Build,
    /// For what the checks find: instructions are read, and neither looked up nor done.
    Check,
    /// For what a build would do: steps are looked up and not done; store and cache stay as they are.
    Foresee,
}

/// What a build leaves.
pub enum Exported {
    /// An image in the store.
    Image(ImageId),
    /// Files as a tar.
    Files(Rope),
    /// Nothing: it was not built.
    Nothing,
    /// In foresight: the image that would come of it, where the cache has every step.
    Foreseen(Option<ImageId>),
}

struct Solver<'a> {
    world: &'a World,
    purpose: Purpose,
    request: &'a BuildRequest,
    trace: Trace,
    file: &'a Dockerfile,
    plan: &'a Plan<'a>,
    context: Tree,
    bell: Bell,
    images: RefCell<BTreeMap<String, BaseImage>>,
    /// Base images that have their vertex; `true` once they are here.
    bases: RefCell<BTreeMap<String, bool>>,
    done: RefCell<BTreeMap<usize, State>>,
    /// Steps that some stage has taken on; `true` once it is done.
    steps: RefCell<BTreeMap<CacheKey, bool>>,
    /// Contexts that were asked for, the main one without a name; `true` once they are here.
    sent: RefCell<BTreeMap<String, bool>>,
    /// What images of other builds have, by the key of the step.
    imported: RefCell<BTreeMap<CacheKey, Imported>>,
    /// Vertices that there will be.
    total: Cell<u32>,
    /// Names of rules that were broken.
    broken: RefCell<BTreeSet<&'static str>>,
}

/// Builds with BuildKit.
///
/// # Errors
/// Whatever makes a build fail, with the lines it is about.
pub async fn build(world: &World, request: &BuildRequest, sink: &BuildSink) -> Result<Exported, Located> {
    let trace = Trace::new(world, sink);
    let purpose = if request.check { Purpose::Check } else { Purpose::Build };
    if let Some(address) = &request.remote {
        let fetched = remote::fetch(world, request, address, &trace).await?;
        readable(&fetched)?;
        return solve(world, &fetched, trace, purpose).await;
    }
    load_definition(world, request, &trace).await;
    readable(request)?;
    solve(world, request, trace, purpose).await
}

async fn load_definition(world: &World, request: &BuildRequest, trace: &Trace) {
    let (sleep, name) = (&world.sleep, &request.dockerfile_name);
    let step = trace.start(format!("[internal] load build definition from {name}"));
    let size = if request.is_dockerfile_missing {
        transfer_size_bytes(&Layer::default(), true)
    } else {
        transfer_file_size_bytes(name, &request.dockerfile, (world.now)())
    };
    let part = step.status("transferring dockerfile:", size, 0);
    sleep(World::duration(8, size, 100)).await;
    part.done();
    sleep(World::duration(4, 0, 1)).await;
    step.done();
}

fn readable(request: &BuildRequest) -> Result<(), BuildError> {
    let name = request.dockerfile_name.clone();
    if request.is_dockerfile_missing {
        return Err(BuildError::NoDockerfile(name));
    }
    if request.dockerfile.is_empty() {
        return Err(BuildError::EmptyDockerfile { name });
    }
    Ok(())
}

/// Tells what a build would do, and does not do it. The clock of `world` must be its own. Gives the image that would come of it, where the cache has every step.
///
/// # Errors
/// What would make the build fail, as far as it can be known.
pub async fn foresee(world: &World, request: &BuildRequest, sink: &BuildSink) -> Result<Option<ImageId>, Located> {
    let trace = Trace::new(world, sink);
    load_definition(world, request, &trace).await;
    match solve(world, request, trace, Purpose::Foresee).await? {
        Exported::Foreseen(image) => Ok(image),
        _ => Ok(None),
    }
}

/// Tells what the checks find, without the progress of `build --check`; `world` as in [`foresee`].
///
/// # Errors
/// What is wrong with the Dockerfile.
pub async fn check(world: &World, request: &BuildRequest, sink: &BuildSink) -> Result<(), Located> {
    solve(world, request, Trace::new(world, sink), Purpose::Check).await.map(drop)
}

async fn solve(world: &World, request: &BuildRequest, trace: Trace, purpose: Purpose) -> Result<Exported, Located> {
    let text = String::from_utf8_lossy(&request.dockerfile.to_vec()).into_owned();
    let file = dockerfile::parse(&text)?;
    let mut warnings = Vec::new();
    let plan = plan::plan(&file, request, purpose == Purpose::Check, world.architecture, &mut warnings);
    warnings.arrange_by_key(|warning| warning.span);
    let plan = plan.inspect_err(|_| {
        if let Ok(checks) = plan::checks(&file, request) {
            warnings.iter().filter(|warning| checks.asks_for(warning.rule)).for_each(|warning| trace.warn(warning));
        }
    })?;
    let solver = Solver {
        world,
        purpose,
        request,
        trace,
        file: &file,
        plan: &plan,
        context: Tree::of([request.context.files.as_ref()]),
        bell: Bell::default(),
        images: RefCell::default(),
        bases: RefCell::default(),
        done: RefCell::default(),
        steps: RefCell::default(),
        sent: RefCell::default(),
        imported: RefCell::default(),
        total: Cell::new(0),
        broken: RefCell::default(),
    };
    solver.solve(&warnings).await
}

impl<'a> Solver<'a> {
    async fn solve(&self, warnings: &[Warning]) -> Result<Exported, Located> {
        warnings.iter().for_each(|warning| self.warn(warning));
        self.check_syntax()?;
        self.load_metadata().await?;
        // The client hears of a step once its graph is sent, which the images' metadata are needed for.
        self.expect(self.total());
        self.check_entitlements()?;
        if self.request.remote.is_none() {
            self.load_ignore_file().await;
        }
        if self.purpose == Purpose::Build {
            self.import_caches().await;
        }
        let mut tasks: Vec<Task<'_, Located>> = Vec::new();
        for index in &self.plan.order {
            let Some(planned) = self.plan.stages.get(*index) else { continue };
            tasks.push(Box::pin(async move {
                let state = self.stage(planned).await?;
                self.done.borrow_mut().insert(*index, state);
                Ok(())
            }));
        }
        if self.purpose != Purpose::Check && self.is_context_sent() {
            tasks.push(Box::pin(async move {
                self.load_context().await;
                Ok(())
            }));
        }
        if let Err(error) = self.bell.all(tasks).await {
            self.trace.cancel();
            return Err(error);
        }
        let broken: Vec<&str> = self.broken.borrow().iter().copied().collect();
        if self.plan.checks.error && !broken.is_empty() {
            return Err(BuildError::Lint(broken.join(", ")).into());
        }
        match (self.purpose, self.request.export) {
            (Purpose::Build, Export::Image) => self.export().await.map(Exported::Image),
            (Purpose::Build, export) => self.export_files(export).await.map(Exported::Files),
            (Purpose::Foresee, _) => {
                let state = self.done.borrow_mut().remove(&self.plan.target);
                if let Some(state) = &state {
                    (self.world.sleep)(self.time_of_export(state) + export::NAMING).await;
                }
                let known = state.filter(|state| state.missed.is_none() && !state.unknown);
                Ok(Exported::Foreseen(known.map(|state| self.image(state).id())))
            }
            (Purpose::Check, _) => Ok(Exported::Nothing),
        }
    }

    /// Refuses a frontend of somebody else: only Docker's own can be what this one is.
    fn check_syntax(&self) -> Result<(), BuildError> {
        let given = self.request.build_args.get("BUILDKIT_SYNTAX").or(self.file.directives.syntax.as_ref());
        let Some(frontend) = given.and_then(|text| text.split_whitespace().next()) else { return Ok(()) };
        let name = frontend.split(['@', ':']).next().unwrap_or_default();
        let name = name.strip_prefix("docker.io/").unwrap_or(name);
        match name {
            "docker/dockerfile" | "docker/dockerfile-upstream" => Ok(()),
            _ => Err(BuildError::NotSimulated(format!("the frontend {frontend}"))),
        }
    }

    /// Whether the steps may do what they ask for (BuildKit `util/entitlements`; moby allows `network.host` only).
    fn check_entitlements(&self) -> Result<(), BuildError> {
        let allowed = |name: &str| self.request.allow.iter().any(|own| own == name);
        if let Some(name) = self.request.allow.iter().find(|name| *name != "network.host") {
            return Err(BuildError::EntitlementRefused(name.clone()));
        }
        for instruction in self.reachable().flat_map(|stage| &stage.stage.instructions) {
            let Command::Run(run) = &instruction.command else { continue };
            if run.security.as_deref() == Some("insecure") {
                return Err(BuildError::Entitlement("security.insecure"));
            }
            if run.network.as_deref() == Some("host") && !allowed("network.host") {
                return Err(BuildError::Entitlement("network.host"));
            }
        }
        Ok(())
    }

    /// Tells of a broken rule, unless the Dockerfile says that it does not count.
    fn warn(&self, warning: &Warning) {
        if self.plan.checks.asks_for(warning.rule) {
            self.broken.borrow_mut().insert(warning.rule.name);
            self.trace.warn(warning);
        }
    }

    /// Tells how many vertices there will be.
    fn expect(&self, total: u32) {
        self.total.set(total);
        self.trace.tell(BuildEvent::Total(total));
    }

    fn reachable(&self) -> impl Iterator<Item = &'a PlannedStage<'a>> {
        self.plan.order.iter().filter_map(|index| self.plan.stages.get(*index))
    }

    /// How many vertices there will be, triggers of base images aside.
    fn total(&self) -> u32 {
        if self.purpose == Purpose::Check {
            let images = self.reachable().flat_map(|stage| {
                let own = if let Base::Image(reference, _) = &stage.base { Some(reference) } else { None };
                own.into_iter().chain(stage.images.iter().map(|(reference, _)| reference))
            });
            return 2 + images.map(ToString::to_string).collect::<BTreeSet<_>>().len() as u32;
        }
        // Definition and ignore file, or the repository instead; the export.
        let mut sum = if self.request.remote.is_some() { 2 } else { 3 };
        let mut images = BTreeSet::new();
        for stage in self.reachable() {
            let own = if let Base::Image(reference, _) = &stage.base { Some(reference) } else { None };
            images.extend(
                own.into_iter().chain(stage.images.iter().map(|(reference, _)| reference)).map(ToString::to_string),
            );
            sum +=
                stage.stage.instructions.iter().filter(|instruction| makes_layer(&instruction.command)).count() as u32;
        }
        sum += self.request.cache_from.len() as u32;
        sum + 2 * images.len() as u32 + u32::from(self.is_context_sent())
    }
}
