//! What builders get from the machine: containers to run steps in, and images from registries.
//!
//! The daemon's builder and the catalogue's bakery use the same parts; they differ in kernel, store and clock.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bstr::BString;
use futures_lite::future::zip;

use crate::base::digest::{ChainId, ImageId};
use crate::base::rng::Rng;
use crate::docker::build::cache::BuildCache;
use crate::docker::build::error::PullProblem;
use crate::docker::build::files;
use crate::docker::build::world::{FetchEvent, Fetched, Later, RunStep, StartError, World};
use crate::docker::image::reference::Reference;
use crate::docker::image::store::Store;
use crate::docker::registry::{Published, RegistryError};
use crate::os::fs::mounts::{Caller, Cred, Mount, Mounts};
use crate::os::fs::node::Content;
use crate::os::kernel::net::NetId;
use crate::os::kernel::proc_fs::ProcFs;
use crate::os::kernel::{Kernel, ProcessSpec, Status, devices};

/// Bytes a second on the simulated link.
const DOWNLOAD_RATE: u64 = 10_000_000;
/// Bytes a second when unpacking.
const EXTRACT_RATE: u64 = 80_000_000;
/// Most of a step's output that is read at once.
const CHUNK: u64 = 65_536;

/// What every container mounts.
const MOUNT_POINTS: [&str; 2] = ["/dev", "/proc"];

/// Where a builder works.
pub struct Site {
    /// The kernel that runs steps.
    pub kernel: Kernel,
    /// Where images go.
    pub store: Rc<RefCell<Store>>,
    /// Where base images come from.
    pub registry: Rc<dyn Fn(&Reference) -> Result<Rc<Published>, RegistryError>>,
    /// The network of steps that have one.
    pub net: NetId,
    /// Whether downloads take their time.
    pub is_patient: bool,
    /// Identities follow from it.
    pub seed: u64,
}

/// A builder's world at a site.
pub fn world(site: Site) -> World {
    let site = Rc::new(site);
    let (clock, sleeper, resolver) = (site.kernel.clone(), site.kernel.clone(), Rc::clone(&site));
    let (fetcher, puller, runner) = (Rc::clone(&site), Rc::clone(&site), Rc::clone(&site));
    World {
        store: Rc::clone(&site.store),
        cache: Rc::new(RefCell::new(BuildCache::default())),
        random: Rc::new(RefCell::new(Rng::new(site.seed))),
        now: Rc::new(move || clock.now()),
        sleep: Rc::new(move |time| Box::pin(sleep(sleeper.clone(), time))),
        resolve: Rc::new(move |reference| {
            let found = (resolver.registry)(&reference).map(|published| published.digest()).map_err(problem);
            Box::pin(std::future::ready(found))
        }),
        fetch: Rc::new(move |reference, tell| Box::pin(fetch(Rc::clone(&fetcher), reference, tell))),
        pull: Rc::new(move |reference, _| {
            let site = Rc::clone(&puller);
            Box::pin(async move {
                let fetched = fetch(Rc::clone(&site), reference.clone(), Rc::new(|_| ())).await?;
                let mut store = site.store.borrow_mut();
                let id: ImageId = store.add_image(fetched.image).map_err(|_| PullProblem::NotFound)?;
                store.tag(reference.with_default_tag(), id, site.kernel.now());
                if let Some(chain) = fetched.chain {
                    store.release(chain);
                }
                Ok(id)
            })
        }),
        run: Rc::new(move |step| -> Later<Result<i32, StartError>> { Box::pin(run(Rc::clone(&runner), step)) }),
        docker_version: "27.5.1",
        architecture: "amd64",
    }
}

const fn problem(error: RegistryError) -> PullProblem {
    match error {
        RegistryError::Denied => PullProblem::Denied,
        RegistryError::ManifestUnknown => PullProblem::NotFound,
        RegistryError::Unreachable => PullProblem::Unreachable,
    }
}

async fn sleep(kernel: Kernel, time: Duration) {
    let until = kernel.now() + time;
    // A signal that the builder's process handles does not shorten a download.
    while kernel.current_process().sleep(until.since(kernel.now())).await.is_err() {
        kernel.current_process().tick().await;
    }
}

/// Brings a base image's layers into the store.
async fn fetch(site: Rc<Site>, reference: Reference, tell: Rc<dyn Fn(FetchEvent)>) -> Result<Fetched, PullProblem> {
    let published = (site.registry)(&reference).map_err(problem)?;
    let mut chain: Option<ChainId> = None;
    for layer in &published.layers {
        let next = chain.map_or(ChainId(layer.diff_id.0), |below| below.then(layer.diff_id));
        let known = site.store.borrow_mut().hold(next).is_ok();
        if !known {
            let blob = layer.blob.digest;
            if site.is_patient {
                let steps = 1 + layer.blob.size_bytes / (DOWNLOAD_RATE / 4);
                for step in 1..=steps {
                    let part = layer.blob.size_bytes / steps;
                    sleep(site.kernel.clone(), Duration::from_micros(part / (DOWNLOAD_RATE / 1_000_000))).await;
                    tell(FetchEvent::Download { blob, current: part * step, total: layer.blob.size_bytes });
                }
                tell(FetchEvent::Extract { blob, done: false });
                let micros = layer.layer.size_bytes() / (EXTRACT_RATE / 1_000_000);
                sleep(site.kernel.clone(), Duration::from_micros(micros)).await;
            }
            // The stack grew too deep, which no published image is.
            let registered = site.store.borrow_mut().register(chain, layer.layer.clone());
            registered.map_err(|_| PullProblem::NotFound)?;
            tell(FetchEvent::Extract { blob, done: true });
        }
        if let Some(below) = chain.replace(next) {
            site.store.borrow_mut().release(below);
        }
    }
    Ok(Fetched { image: published.image.clone(), chain, digest: published.digest() })
}

/// Runs a step's command in a container of its own.
async fn run(site: Rc<Site>, step: RunStep) -> Result<i32, StartError> {
    let kernel = &site.kernel;
    let now = kernel.now();
    let tree = step.root.borrow().lower().clone();
    let program = step.args.first().cloned().unwrap_or_default();
    let failed = |why: &str| StartError(format!("exec: {program:?}: {why}"));
    let (uid, gid) = match step.user.as_str() {
        "" => (0, 0),
        user => files::owner(&tree, user).map_err(|error| StartError(error.to_string()))?,
    };
    let root = Mount::overlay("/", "overlay", "overlay", &step.root);
    let mut mounts = Mounts::new(root);
    let who = Caller { now, ..Caller::root() };
    let dev = Rc::new(RefCell::new(devices::dev(kernel.new_dev(), now, None)));
    let made: Vec<&str> = MOUNT_POINTS
        .into_iter()
        .filter(|at| mounts.create(&who, at.as_bytes(), 0o755, Content::Dir { opaque: false }).is_ok())
        .collect();
    let mounted = mounts
        .mount(Mount::overlay("/dev", "tmpfs", "tmpfs", &dev))
        .and_then(|()| mounts.mount(Mount::synthetic("/proc", "proc", Rc::new(ProcFs::new(kernel.clone())))));
    mounted.map_err(|error| failed(error.strerror()))?;
    make_dirs(&mounts, &who, step.cwd.as_bytes(), Cred { uid, gid, groups: Vec::new() });
    for mount in &step.mounts {
        make_dirs(&mounts, &who, &mount.at, Cred::ROOT);
        let inner = Mounts::new(Mount::overlay("/", "none", mount.kind, &mount.overlay));
        let place = inner.find(&Caller::root(), &mount.path, true).map_err(|error| failed(error.strerror()))?;
        mounts.bind(&place, &mount.at, mount.read_only, mount.kind).map_err(|error| failed(error.strerror()))?;
    }
    let (out_read, out_write) = kernel.pipe();
    let (err_read, err_write) = kernel.pipe();
    let spec = ProcessSpec {
        program: BString::from(program.as_str()),
        args: step.args.iter().map(|arg| BString::from(arg.as_str())).collect(),
        env: step.env.iter().map(|entry| BString::from(entry.as_str())).collect(),
        cwd: if step.cwd.is_empty() { "/".into() } else { step.cwd.as_str().into() },
        cred: Cred { uid, gid, groups: vec![gid] },
        mounts: Rc::new(RefCell::new(mounts)),
        net: site.net,
        hostname: Rc::new(RefCell::new(step.hostname.clone())),
        stdio: [kernel.null(), out_write, err_write],
        tty: None,
        pid_namespace: None,
        cgroup: format!("buildkit-{}", step.hostname),
    };
    let gpid = kernel.spawn(spec).map_err(|error| match error {
        crate::base::errno::Errno::ENOENT if !program.contains('/') => failed("executable file not found in $PATH"),
        error => failed(&format!("stat {program}: {}", error.strerror().to_lowercase())),
    })?;
    let output = Rc::clone(&step.output);
    let pump = |file, is_error: bool| {
        let (kernel, output) = (kernel.clone(), Rc::clone(&output));
        async move {
            let own = kernel.current_process();
            while let Ok(bytes) = own.read_handle(&file, CHUNK).await {
                if bytes.is_empty() {
                    return;
                }
                output(is_error, &bytes.to_vec());
            }
        }
    };
    let (status, _) = zip(kernel.ended(gpid), zip(pump(out_read, false), pump(err_read, true))).await;
    // Mount points that the image did not have are no part of the step's layer.
    let bare = Mounts::new(Mount::overlay("/", "overlay", "overlay", &step.root));
    for at in made {
        let _ = bare.rmdir(&who, at.as_bytes());
    }
    Ok(match status {
        Status::Exited(code) => i32::from(code),
        Status::Signaled(signal) => 128 + i32::from(signal.0),
    })
}

/// Makes a directory and those above it; what exists stays as it is.
fn make_dirs(mounts: &Mounts, who: &Caller, at: &[u8], owner: Cred) {
    let mut path = BString::default();
    let as_owner = Caller { cred: owner, ..who.clone() };
    for name in crate::base::path::components(at) {
        path.push(b'/');
        path.extend_from_slice(name);
        if mounts.create(who, &path, 0o755, Content::Dir { opaque: false }).is_ok() {
            let _ = mounts.chown(who, &path, Some(as_owner.cred.uid), Some(as_owner.cred.gid), true);
        }
    }
}
