//! What the verbs do: networks, volumes, images and containers of a project come and go (docker/compose `pkg/compose`).

use crate::base::sort::Arrange;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::COMPOSE_VERSION;
use super::convert::{self, LABEL};
use super::project::{Project, names, text, warn};
use super::steps::Steps;
use crate::docker::cli::client::{Answer, Client};
use crate::docker::cli::command::Verb;
use crate::docker::cli::error::CliError;
use crate::docker::cli::transfer::{self, To};
use crate::docker::daemon::api::container::{ContainerSummary, ListOptions, RemoveOptions, StopOptions};
use crate::docker::daemon::api::network::NetworkCreate;
use crate::docker::daemon::api::volume::VolumeCreate;
use crate::docker::daemon::api::{Class, Filters};
use crate::docker::image::reference::Reference;

/// How often a dependency's state is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// A container of a project.
#[derive(Debug, Clone)]
pub struct Member {
    /// As `docker ps` has it.
    pub row: ContainerSummary,
    /// Its service.
    pub service: String,
    /// Its number in the service.
    pub number: usize,
}

impl Member {
    /// Its name.
    pub fn name(&self) -> &str {
        let mut names = self.row.names.iter().map(|name| name.trim_start_matches('/'));
        // Those by which others link to it have slashes inside.
        names.find(|name| !name.contains('/')).unwrap_or("")
    }

    fn label(&self, key: &str) -> &str {
        self.row.labels.get(&format!("{LABEL}.{key}")).map_or("", String::as_str)
    }
}

/// What `up` is asked to do.
#[derive(Debug, Clone, Default)]
pub struct Up {
    /// `--build`.
    pub build: bool,
    /// `--no-build`.
    pub no_build: bool,
    /// `--force-recreate`.
    pub force_recreate: bool,
    /// `--no-recreate`.
    pub no_recreate: bool,
    /// `--no-deps`.
    pub no_deps: bool,
    /// `--no-start`.
    pub no_start: bool,
    /// `--remove-orphans`.
    pub remove_orphans: bool,
    /// Orphans were looked for already.
    pub knows_orphans: bool,
    /// `--wait`.
    pub wait: bool,
    /// `--pull`, over what the services say.
    pub pull: Option<String>,
    /// `--quiet-pull`.
    pub quiet_pull: bool,
    /// `--timeout`.
    pub timeout_seconds: Option<i64>,
    /// `--scale`: numbers by service.
    pub scale: BTreeMap<String, usize>,
    /// Only what the containers need around them, none of them.
    pub is_around: bool,
}

/// The containers of a project by their labels, one-off ones apart.
///
/// # Errors
/// What the daemon says.
pub fn members(client: &Client, project: &str, one_off: bool) -> Answer<Vec<Member>> {
    let filters = Filters::from([("label".to_owned(), vec![format!("{LABEL}.project={project}")])]);
    let options = ListOptions { all: true, filters, ..ListOptions::default() };
    let mut out: Vec<Member> = Vec::new();
    for row in client.daemon.container_list(&options)? {
        let label = |key: &str| row.labels.get(&format!("{LABEL}.{key}")).cloned().unwrap_or_default();
        let (service, number) = (label("service"), label("container-number").parse().unwrap_or(1));
        if (label("oneoff") == "True") == one_off {
            out.push(Member { service, number, row });
        }
    }
    out.arrange_by(|a, b| (&a.service, a.number).cmp(&(&b.service, b.number)));
    Ok(out)
}

impl Project {
    /// The services that are meant, with what they need unless `alone`, in the order of their dependencies.
    ///
    /// # Errors
    /// A service that there is not.
    pub fn selected(&self, asked: &[String], alone: bool) -> Answer<Vec<String>> {
        if let Some(unknown) = asked.iter().find(|name| !self.services.contains_key(*name)) {
            return Err(CliError::new(format!("no such service: {unknown}")));
        }
        let mut wanted: Vec<String> =
            if asked.is_empty() { self.services.keys().cloned().collect() } else { asked.to_vec() };
        let mut at = 0;
        while let Some(name) = wanted.get(at).cloned().filter(|_| !alone) {
            for other in self.services.get(&name).map(|service| self.needs(service)).unwrap_or_default() {
                if !wanted.contains(&other) {
                    wanted.push(other);
                }
            }
            at += 1;
        }
        let order = self.order().map_err(CliError::new)?;
        Ok(order.into_iter().filter(|name| wanted.contains(name)).collect())
    }

    /// The containers of the project, or of some of its services.
    ///
    /// # Errors
    /// A service that there is not.
    pub fn members_of(&self, client: &Client, asked: &[String]) -> Answer<Vec<Member>> {
        self.selected(asked, true)?;
        let mut all = members(client, &self.name, false)?;
        all.retain(|member| asked.is_empty() || asked.contains(&member.service));
        Ok(all)
    }

    /// Services, and those that are restarted with them (`depends_on: {…: {restart: true}}`).
    pub fn restarted_with(&self, asked: &[String]) -> Vec<String> {
        let mut all = asked.to_vec();
        let mut at = 0;
        while let Some(name) = all.get(at).cloned() {
            for (other, service) in &self.services {
                let need = service.get("depends_on").and_then(|needs| needs.get(&name));
                let follows = need.and_then(|need| need.get("restart")) == Some(&Value::Bool(true));
                if follows && !all.contains(other) {
                    all.push(other.clone());
                }
            }
            at += 1;
        }
        all
    }

    /// The one container of a service that is meant by `--index`.
    ///
    /// # Errors
    /// None runs.
    pub fn running(&self, client: &Client, service: &str, index: usize) -> Answer<Member> {
        let all = self.members_of(client, &[service.to_owned()])?;
        let found = all.into_iter().find(|m| m.row.state == "running" && (index == 0 || m.number == index));
        found.ok_or_else(|| CliError::new(format!("service {service:?} is not running")))
    }

    fn labels(&self, kind: &str, name: &str) -> BTreeMap<String, String> {
        let version = COMPOSE_VERSION.trim_start_matches('v').to_owned();
        [(kind, name.to_owned()), ("project", self.name.clone()), ("version", version)]
            .into_iter()
            .map(|(key, value)| (format!("{LABEL}.{key}"), value))
            .collect()
    }

    fn warn_name(kind: &str, name: &str) -> String {
        format!("{kind} {name} declared as external, but could not be found")
    }

    async fn make_networks(&self, client: &Client, services: &[String], steps: &mut Steps) -> Answer {
        let there: Vec<String> = client.daemon.network_list(&Filters::new())?.into_iter().map(|n| n.name).collect();
        for key in self.networks_of(services) {
            let (name, external) = self.real_name(&self.networks, &key);
            if there.contains(&name) {
                continue;
            }
            if external {
                return Err(CliError::new(Self::warn_name("network", &name)));
            }
            let own = self.networks.get(&key).cloned().unwrap_or_default();
            let field = |name: &str| own.get(name).map(text).unwrap_or_default();
            let pools = own.get("ipam").and_then(|ipam| ipam.get("config")).and_then(Value::as_array);
            let pool = |name: &str| pools.into_iter().flatten().filter_map(|p| p.get(name)).map(text).collect();
            let id = format!("Network {name}");
            steps.working(client, &id, "Creating").await;
            let mut labels = self.labels("network", &key);
            labels
                .extend(super::project::pairs(own.get("labels")).into_iter().map(|(k, v)| (k, v.unwrap_or_default())));
            let request = NetworkCreate {
                name: name.clone(),
                driver: field("driver"),
                internal: field("internal") == "true",
                attachable: field("attachable") == "true",
                subnets: pool("subnet"),
                gateways: pool("gateway"),
                ip_ranges: pool("ip_range"),
                options: (super::project::pairs(own.get("driver_opts")).into_iter())
                    .map(|(key, value)| (key, value.unwrap_or_default()))
                    .collect(),
                labels,
            };
            match client.daemon.network_create(request) {
                Ok(_) => steps.done(client, &id, "Created").await,
                Err(error) => {
                    steps.failed(client, &id).await;
                    return Err(CliError::new(format!(
                        "failed to create network {name}: {}",
                        crate::docker::cli::error::from_daemon(&error)
                    )));
                }
            }
        }
        Ok(())
    }

    async fn make_volumes(&self, client: &Client, services: &[String], steps: &mut Steps) -> Answer {
        let there: Vec<String> = client.daemon.volume_list(&Filters::new())?.into_iter().map(|v| v.name).collect();
        let used = self.volumes_of(services);
        for (key, own) in self.volumes.iter().filter(|(key, _)| used.contains(key)) {
            let (name, external) = self.real_name(&self.volumes, key);
            if there.contains(&name) {
                continue;
            }
            if external {
                return Err(CliError::new(format!("external volume {name:?} not found")));
            }
            let id = format!("Volume \"{name}\"");
            steps.working(client, &id, "Creating").await;
            let options = super::project::pairs(own.get("driver_opts")).into_iter();
            client.daemon.volume_create(VolumeCreate {
                name,
                driver: own.get("driver").map(text).unwrap_or_default(),
                driver_opts: options.map(|(k, v)| (k, v.unwrap_or_default())).collect(),
                labels: self.labels("volume", key),
            })?;
            steps.done(client, &id, "Created").await;
        }
        Ok(())
    }

    /// Builds a service's image.
    ///
    /// # Errors
    /// What the build fails of.
    pub async fn build(&self, client: &Client, name: &str, no_cache: bool, pull: bool, more: &[String]) -> Answer {
        let Some(words) = self.build_words(name, no_cache, pull, more) else { return Ok(()) };
        let given = convert::invocation(client, &words)?;
        match given.command.verb {
            Verb::Run(run) => run(client, &given).await,
            Verb::NotSimulated => Ok(()),
        }
    }

    /// Gets the images of services that have none yet: builds them or pulls them.
    async fn make_images(&self, client: &Client, selected: &[String], up: &Up) -> Answer {
        let mut missing = Vec::new();
        for name in selected {
            let Some(service) = self.services.get(name) else { continue };
            let image = self.image(name, service);
            let is_here = client.daemon.image_inspect(&image).is_ok();
            let policy = up.pull.clone().or_else(|| service.get("pull_policy").map(text)).unwrap_or_default();
            if service.contains_key("build") {
                if !up.no_build && (up.build || !is_here || policy == "build") {
                    self.build(client, name, false, false, &[]).await?;
                    let mut steps = Steps::new("Building", self.progress);
                    steps.done(client, name, "Built").await;
                }
            } else if policy == "always" || (!is_here && policy != "never") {
                missing.push(name.clone());
            }
        }
        self.pull(client, &missing, up.quiet_pull).await
    }

    /// Pulls the images of services.
    ///
    /// # Errors
    /// What the registry refuses.
    pub async fn pull(&self, client: &Client, services: &[String], is_quiet: bool) -> Answer {
        let mut steps = Steps::new("Running", self.progress).quiet(is_quiet);
        for name in services {
            let Some(service) = self.services.get(name) else { continue };
            let image = self.image(name, service);
            steps.working(client, name, "Pulling").await;
            let reference =
                Reference::parse(&image).map_err(|error| CliError::new(error.to_string()))?.with_default_tag();
            match transfer::pull(client, &reference, false, None, To::Nowhere).await {
                Ok(()) => steps.done(client, name, "Pulled").await,
                Err(error) => {
                    steps.failed(client, name).await;
                    return Err(match error {
                        CliError::Says(status, why) if !why.starts_with("Error ") => {
                            CliError::Says(status, format!("Error response from daemon: {why}"))
                        }
                        error => error,
                    });
                }
            }
        }
        Ok(())
    }

    fn wanted_number(&self, name: &str, up: &Up) -> usize {
        let service = self.services.get(name);
        let own = |value: Option<&Value>| value.and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let deploy = service.and_then(|s| s.get("deploy")).and_then(|deploy| deploy.get("replicas"));
        let file = own(service.and_then(|s| s.get("scale"))).or_else(|| own(deploy)).unwrap_or(1);
        up.scale.get(name).copied().unwrap_or(file).min(100)
    }

    /// Makes everything and starts it. Returns the containers that the services have now.
    ///
    /// # Errors
    /// Whatever keeps one from being made or started.
    pub async fn up(&self, client: &Client, asked: &[String], up: &Up) -> Answer<Vec<Member>> {
        let selected = self.selected(asked, up.no_deps)?;
        self.make_images(client, &selected, up).await?;
        let mut steps = Steps::new("Running", self.progress);
        if !up.knows_orphans {
            self.orphans(client, up.remove_orphans, &mut steps).await?;
        }
        // What none of these services uses is left alone (compose-go `WithoutUnnecessaryResources`).
        self.make_networks(client, &selected, &mut steps).await?;
        self.make_volumes(client, &selected, &mut steps).await?;
        if up.is_around {
            return Ok(Vec::new());
        }
        let mut starting: Vec<(String, String, bool)> = Vec::new();
        for name in &selected {
            starting.extend(self.converge(client, name, up, &mut steps).await?);
        }
        if !up.no_start {
            for (service, container, runs) in &starting {
                self.await_needs(client, service, &mut steps).await?;
                let id = format!("Container {container}");
                if *runs {
                    continue;
                }
                steps.working(client, &id, "Starting").await;
                if let Err(error) = client.daemon.container_start(container).await {
                    steps.failed(client, &id).await;
                    return Err(error.into());
                }
                steps.done(client, &id, "Started").await;
            }
            if up.wait {
                for (_, container, _) in &starting {
                    self.await_state(client, container, "service_healthy", &mut steps).await?;
                }
            }
        }
        let mut all = self.members_of(client, &[])?;
        all.retain(|member| selected.contains(&member.service));
        Ok(all)
    }

    /// Brings a service's containers to the number and configuration that the file asks for: service, container, whether it runs.
    async fn converge(
        &self,
        client: &Client,
        name: &str,
        up: &Up,
        steps: &mut Steps,
    ) -> Answer<Vec<(String, String, bool)>> {
        let Some(service) = self.services.get(name) else { return Ok(Vec::new()) };
        let wanted = self.wanted_number(name, up);
        let there = self.members_of(client, &[name.to_owned()])?;
        let hash = convert::config_hash(service);
        let image = self.image(name, service);
        let image_id = client.daemon.image_inspect(&image).ok();
        let image_id = image_id.as_ref().and_then(|image| image.get("Id")).and_then(Value::as_str);
        for member in there.iter().filter(|member| member.number > wanted) {
            self.drop_member(client, member, up.timeout_seconds, false, steps).await?;
        }
        let mut out = Vec::new();
        for number in 1..=wanted {
            let container = self.container_name(name, number);
            let id = format!("Container {container}");
            let old = there.iter().find(|member| member.number == number);
            let is_same = old.is_some_and(|old| {
                old.label("config-hash") == hash && image_id.is_none_or(|image| image == old.row.image_id)
            });
            let mut done = "Created";
            if let Some(old) = old {
                if (is_same || up.no_recreate) && !up.force_recreate {
                    let runs = old.row.state == "running";
                    if runs {
                        steps.done(client, &id, "Running").await;
                    }
                    out.push((name.to_owned(), old.name().to_owned(), runs));
                    continue;
                }
                steps.working(client, &id, "Recreate").await;
                self.stop(client, old.name(), up.timeout_seconds).await?;
                client.daemon.container_remove(old.name(), RemoveOptions { force: true, volumes: false }).await?;
                done = "Recreated";
            } else {
                steps.working(client, &id, "Creating").await;
            }
            let (_, request) = self.request(client, name, &container, number, None).await?;
            match client.daemon.container_create(request) {
                Ok(_) => steps.done(client, &id, done).await,
                Err(error) => {
                    steps.failed(client, &id).await;
                    return Err(error.into());
                }
            }
            out.push((name.to_owned(), container, false));
        }
        Ok(out)
    }

    /// Waits until what a service needs is as it needs it.
    ///
    /// # Errors
    /// It will not be.
    pub async fn await_needs(&self, client: &Client, name: &str, steps: &mut Steps) -> Answer {
        let Some(service) = self.services.get(name) else { return Ok(()) };
        for other in names(service.get("depends_on")) {
            let condition = self.condition(service, &other);
            if condition == "service_started" {
                continue;
            }
            for member in self.members_of(client, std::slice::from_ref(&other))? {
                self.await_state(client, member.name(), &condition, steps).await?;
            }
        }
        Ok(())
    }

    async fn await_state(&self, client: &Client, container: &str, condition: &str, steps: &mut Steps) -> Answer {
        let id = format!("Container {container}");
        steps.working(client, &id, "Waiting").await;
        loop {
            let document = client.daemon.container_inspect(container, false)?;
            let state = document.get("State").cloned().unwrap_or_default();
            let health = state.get("Health").and_then(|health| health.get("Status")).and_then(Value::as_str);
            let runs = state.get("Running") == Some(&Value::Bool(true));
            let code = state.get("ExitCode").and_then(Value::as_i64).unwrap_or(0);
            let problem = match (condition, health, runs) {
                ("service_completed_successfully", _, false) if code == 0 => {
                    steps.done(client, &id, "Exited").await;
                    return Ok(());
                }
                ("service_completed_successfully", _, false) => {
                    format!("service {container:?} didn't complete successfully: exit {code}")
                }
                ("service_completed_successfully", ..) => String::new(),
                (_, Some("healthy"), true) | (_, None, true) => {
                    steps.done(client, &id, "Healthy").await;
                    return Ok(());
                }
                (_, Some("unhealthy"), true) => format!("container {container} is unhealthy"),
                (_, _, false) => format!("container {container} exited ({code})"),
                _ => String::new(),
            };
            if !problem.is_empty() {
                steps.failed(client, &id).await;
                return Err(CliError::new(format!("dependency failed to start: {problem}")));
            }
            client.proc.sleep(LOOK).await.map_err(|_| CliError::Status(130))?;
        }
    }

    async fn orphans(&self, client: &Client, remove: bool, steps: &mut Steps) -> Answer {
        let mut orphans = members(client, &self.name, false)?;
        orphans.extend(members(client, &self.name, true)?);
        // One of a profile that is not enabled is none.
        orphans.retain(|m| !self.services.contains_key(&m.service) && !self.disabled.contains(&m.service));
        let ignored = self.environment.get("COMPOSE_IGNORE_ORPHANS").is_some_and(|on| on.eq_ignore_ascii_case("true"));
        if orphans.is_empty() || (ignored && !remove) {
            return Ok(());
        }
        if !remove {
            let names: Vec<&str> = orphans.iter().map(Member::name).collect();
            let what = format!(
                "Found orphan containers ([{}]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.",
                names.join(" ")
            );
            warn(client, &what).await;
            return Ok(());
        }
        for orphan in &orphans {
            self.drop_member(client, orphan, None, false, steps).await?;
        }
        Ok(())
    }

    async fn stop(&self, client: &Client, container: &str, timeout_seconds: Option<i64>) -> Answer {
        Ok(client.daemon.container_stop(container, StopOptions { signal: None, timeout_seconds }).await?)
    }

    async fn drop_member(
        &self,
        client: &Client,
        member: &Member,
        timeout: Option<i64>,
        volumes: bool,
        steps: &mut Steps,
    ) -> Answer {
        let id = format!("Container {}", member.name());
        if matches!(member.row.state, "running" | "paused" | "restarting") {
            steps.working(client, &id, "Stopping").await;
            self.stop(client, &member.row.id, timeout).await?;
            steps.done(client, &id, "Stopped").await;
        }
        steps.working(client, &id, "Removing").await;
        client.daemon.container_remove(&member.row.id, RemoveOptions { force: true, volumes }).await?;
        steps.done(client, &id, "Removed").await;
        Ok(())
    }

    /// Stops, starts, ... the containers of services, last dependencies first where that is what ends them.
    ///
    /// # Errors
    /// What the daemon refuses.
    pub async fn each(
        &self,
        client: &Client,
        asked: &[String],
        [title, working, done]: [&'static str; 3],
        backwards: bool,
        act: impl AsyncFn(&Member) -> Answer<bool>,
    ) -> Answer {
        let order = self.selected(asked, true)?;
        let mut all = self.members_of(client, asked)?;
        // Those of a profile that is not enabled are left alone.
        all.retain(|member| order.contains(&member.service));
        all.arrange_by_key(|member| order.iter().position(|name| *name == member.service));
        if backwards {
            all.reverse();
        }
        let mut steps = Steps::new(title, self.progress);
        for member in &all {
            let id = format!("Container {}", member.name());
            steps.working(client, &id, working).await;
            match act(member).await {
                Ok(_) => steps.done(client, &id, done).await,
                Err(error) => {
                    steps.failed(client, &id).await;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Removes containers and networks; volumes and images when asked for.
    ///
    /// # Errors
    /// What the daemon refuses.
    pub async fn down(
        &self,
        client: &Client,
        asked: &[String],
        volumes: bool,
        images: Option<&str>,
        orphans: bool,
        timeout: Option<i64>,
    ) -> Answer {
        let mut steps = Steps::new("Running", self.progress);
        let order = self.order().map_err(CliError::new)?;
        let mut all = members(client, &self.name, false)?;
        let one_off = if asked.is_empty() { members(client, &self.name, true)? } else { Vec::new() };
        all.retain(|member| match self.services.contains_key(&member.service) {
            true => asked.is_empty() || asked.contains(&member.service),
            false => orphans,
        });
        all.arrange_by_key(|member| std::cmp::Reverse(order.iter().position(|name| *name == member.service)));
        for member in all.iter().chain(&one_off) {
            self.drop_member(client, member, timeout, volumes, &mut steps).await?;
        }
        if !asked.is_empty() {
            return Ok(());
        }
        if all.is_empty() && one_off.is_empty() && self.used_networks().is_empty() && !volumes && images.is_none() {
            warn(client, &format!("Warning: No resource found to remove for project {:?}.", self.name)).await;
            return Ok(());
        }
        if volumes {
            let there: Vec<String> = client.daemon.volume_list(&Filters::new())?.into_iter().map(|v| v.name).collect();
            for key in self.volumes.keys() {
                let (name, external) = self.real_name(&self.volumes, key);
                if external || !there.contains(&name) {
                    continue;
                }
                let id = format!("Volume {name}");
                steps.working(client, &id, "Removing").await;
                match client.daemon.volume_remove(&name, false) {
                    Ok(()) => steps.done(client, &id, "Removed").await,
                    Err(error) if error.class() == Class::Conflict => {
                        steps.warned(client, &id, "Resource is still in use").await
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        if let Some(which) = images {
            for (name, service) in &self.services {
                if which == "local" && service.contains_key("image") {
                    continue;
                }
                let image = self.image(name, service);
                let id = format!("Image {image}");
                steps.working(client, &id, "Removing").await;
                match client.daemon.image_remove(&image, false, true) {
                    Ok(_) => steps.done(client, &id, "Removed").await,
                    Err(error) if error.class() == Class::NotFound => {
                        steps.done(client, &id, "Warning: No resource found to remove").await
                    }
                    Err(_) => steps.warned(client, &id, "Resource is still in use").await,
                }
            }
        }
        let there: Vec<String> = client.daemon.network_list(&Filters::new())?.into_iter().map(|n| n.name).collect();
        for key in self.used_networks() {
            let (name, external) = self.real_name(&self.networks, &key);
            if external || !there.contains(&name) {
                continue;
            }
            let id = format!("Network {name}");
            steps.working(client, &id, "Removing").await;
            match client.daemon.network_remove(&name) {
                Ok(_) => steps.done(client, &id, "Removed").await,
                Err(_) => steps.warned(client, &id, "Resource is still in use").await,
            }
        }
        Ok(())
    }
}
