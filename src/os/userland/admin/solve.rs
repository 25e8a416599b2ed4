//! Which packages a request changes: dependencies in, orphans out.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::Offer;
use super::status::Database;
use crate::os::userland::packages::{Package, Release};

/// Why a request can't be fulfilled, in apt's words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsolved(pub String);

/// What is to be installed.
#[derive(Default, Debug)]
pub struct Plan {
    /// In the order of unpacking: what is needed comes first.
    pub install: Vec<Package>,
    /// Names that were asked for and are there already, with their versions.
    pub present: Vec<(String, String)>,
    /// Names that were asked for.
    pub asked: BTreeSet<String>,
}

/// Plans an installation of words such as `nginx` and `nginx=1.21.4-1`.
///
/// # Errors
/// A name or a version that no source has.
pub fn install(
    words: &[String],
    database: &Database,
    offer: &Offer,
    release: &'static Release,
    reinstall: bool,
    recommends: bool,
) -> Result<Plan, Vec<Unsolved>> {
    let (mut plan, mut errors) = (Plan::default(), Vec::new());
    let mut chosen: BTreeMap<&'static str, Package> = BTreeMap::new();
    let mut roots = Vec::new();
    for word in words {
        let (name, version) = match word.split_once('=') {
            Some((name, version)) => (name, Some(version)),
            None => (word.as_str(), None),
        };
        let name = name.split(':').next().unwrap_or_default();
        let candidates = offer.candidates(release, name);
        if candidates.is_empty() && !database.is_installed(name) {
            errors.push(Unsolved(format!("Unable to locate package {name}")));
            continue;
        }
        let found = match version {
            Some(version) => candidates.into_iter().find(|package| package.version == version),
            None => candidates.into_iter().next(),
        };
        if let (None, Some(version)) = (&found, version) {
            errors.push(Unsolved(format!("Version '{version}' for '{name}' was not found")));
            continue;
        }
        plan.asked.insert(name.to_owned());
        let same = |package: &Package| database.get(name).is_some_and(|stanza| stanza.version() == package.version);
        match found {
            Some(package) if reinstall || !same(&package) => {
                chosen.insert(package.name(), package);
                roots.push(package.name());
            }
            _ => {
                let version = database.get(name).map(|stanza| stanza.version().to_owned()).unwrap_or_default();
                plan.present.push((name.to_owned(), version));
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut visited = BTreeSet::new();
    for root in roots {
        visit(root, &mut chosen, &mut visited, &mut plan.install, (database, offer, release), recommends);
    }
    Ok(plan)
}

/// Appends a package after what it needs.
fn visit(
    root: &'static str,
    chosen: &mut BTreeMap<&'static str, Package>,
    visited: &mut BTreeSet<&'static str>,
    order: &mut Vec<Package>,
    world: (&Database, &Offer, &'static Release),
    recommends: bool,
) {
    let (database, offer, release) = world;
    // Names still to be looked at; a name with `true` has had its dependencies appended.
    let mut stack = vec![(root, false)];
    while let Some((name, done)) = stack.pop() {
        if done {
            order.extend(chosen.get(name).copied());
            continue;
        }
        if !visited.insert(name) {
            continue;
        }
        let package = match chosen.get(name) {
            Some(package) => *package,
            None if database.is_installed(name) => continue,
            None => match offer.candidates(release, name).into_iter().next() {
                Some(package) => package,
                None => continue,
            },
        };
        chosen.insert(name, package);
        // What is only recommended is looked at last and so lies deepest on the stack.
        if recommends {
            stack.extend(package.recommends().into_iter().rev().map(|wanted| (wanted, false)));
        }
        stack.push((name, true));
        stack.extend(package.depends().into_iter().rev().map(|needed| (needed, false)));
    }
}

/// The packages that came as dependencies and that nobody needs any more, once `gone` are removed.
pub fn orphans(database: &Database, gone: &BTreeSet<String>) -> BTreeSet<String> {
    let mut needed: BTreeSet<&str> = BTreeSet::new();
    let mut stack: Vec<&str> = database
        .installed()
        .filter(|stanza| !database.auto.contains(stanza.name()) && !gone.contains(stanza.name()))
        .map(super::status::Stanza::name)
        .collect();
    while let Some(name) = stack.pop() {
        if gone.contains(name) || !needed.insert(name) {
            continue;
        }
        if let Some(stanza) = database.get(name) {
            stack.extend(stanza.depends().chain(stanza.recommends()));
        }
    }
    let unneeded = database.installed().map(super::status::Stanza::name);
    unneeded.filter(|name| !needed.contains(name) && !gone.contains(*name)).map(str::to_owned).collect()
}

/// `names` and every installed package that needs one of them.
pub fn dependants(database: &Database, names: &[String]) -> BTreeSet<String> {
    let mut gone: BTreeSet<String> = names.iter().filter(|name| database.is_installed(name)).cloned().collect();
    loop {
        let before = gone.len();
        for stanza in database.installed() {
            if !gone.contains(stanza.name()) && stanza.depends().any(|needed| gone.contains(needed)) {
                gone.insert(stanza.name().to_owned());
            }
        }
        if gone.len() == before {
            return gone;
        }
    }
}
