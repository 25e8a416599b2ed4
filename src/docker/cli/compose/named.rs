//! A project that is known by its name only: `docker compose -p name ps` where there is no file. What it is made of is
//! read off the labels of its containers, networks and volumes (docker/compose `projectFromName`, `actualState`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::convert::LABEL;
use super::engine::members;
use super::project::Project;
use super::steps::Mode;
use crate::docker::cli::client::{Answer, Client};
use crate::docker::daemon::api::Filters;

/// The verbs that need to know what a file says.
const NEED_A_FILE: [&str; 9] = ["build", "config", "create", "publish", "pull", "push", "run", "scale", "up"];

/// Whether a verb can do with a project's name.
pub fn is_enough_for(verb: &str) -> bool {
    !NEED_A_FILE.contains(&verb)
}

/// The project of that name, as it is.
///
/// # Errors
/// What the daemon says.
pub fn project(
    client: &Client,
    name: String,
    dir: String,
    environment: BTreeMap<String, String>,
    progress: Mode,
) -> Answer<Project> {
    let filters = Filters::from([("label".to_owned(), vec![format!("{LABEL}.project={name}")])]);
    let named = |own: &str| -> Map<String, Value> { [("name".to_owned(), Value::from(own))].into_iter().collect() };
    let mut networks = BTreeMap::new();
    for network in client.daemon.network_list(&filters)? {
        if let Some(key) = network.labels.get(&format!("{LABEL}.network")) {
            networks.insert(key.clone(), named(&network.name));
        }
    }
    let mut volumes = BTreeMap::new();
    for volume in client.daemon.volume_list(&filters)? {
        if let Some(key) =
            volume.labels.iter().flatten().find(|(label, _)| **label == format!("{LABEL}.volume")).map(|(_, key)| key)
        {
            volumes.insert(key.clone(), named(&volume.name));
        }
    }
    let mut services: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for member in members(client, &name, false)? {
        let needs = member.row.labels.get(&format!("{LABEL}.depends_on")).map_or("", String::as_str);
        let mut depends_on = Map::new();
        for need in needs.split(',').filter(|need| !need.is_empty()) {
            let mut parts = need.split(':');
            let other = parts.next().unwrap_or_default().to_owned();
            let condition = parts.next().unwrap_or("service_started");
            let restart = parts.next() == Some("true");
            depends_on.insert(other, json!({ "condition": condition, "restart": restart }));
        }
        let mut service = Map::from_iter([
            ("image".to_owned(), Value::from(member.row.image.as_str())),
            ("networks".to_owned(), networks.keys().cloned().collect()),
            ("depends_on".to_owned(), Value::Object(depends_on)),
        ]);
        if networks.is_empty() {
            service.insert("network_mode".to_owned(), "none".into());
        }
        services.insert(member.service.clone(), service);
    }
    // What is needed may be gone.
    let there: Vec<String> = services.keys().cloned().collect();
    for service in services.values_mut() {
        if let Some(Value::Object(needs)) = service.get_mut("depends_on") {
            needs.retain(|other, _| there.contains(other));
        }
    }
    Ok(Project {
        name,
        dir,
        files: String::new(),
        services,
        networks,
        volumes,
        secrets: BTreeMap::new(),
        configs: BTreeMap::new(),
        disabled: Vec::new(),
        profiles: Vec::new(),
        environment,
        separator: '-',
        progress,
    })
}
