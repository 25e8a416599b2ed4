//! Every command of the client: a folder a noun, a file a verb, and this table of what `docker` itself offers.

use super::command::{Flag, Noun, Place, Root, Shortcut, flag, long};
use super::value::Kind::{Bool, List, Text};

pub mod builder;
pub mod buildx;
pub mod compose;
pub mod container;
pub mod context;
pub mod image;
pub mod manifest;
pub mod network;
pub mod root;
pub mod system;
pub mod volume;

/// `docker`.
pub static ROOT: Root = Root {
    nouns: &[
        &builder::BUILDER,
        &buildx::BUILDX,
        &absent("checkpoint", "Manage checkpoints"),
        &compose::COMPOSE,
        &container::CONTAINER,
        &context::CONTEXT,
        &image::IMAGE,
        &manifest::MANIFEST,
        &network::NETWORK,
        &absent("plugin", "Manage plugins"),
        &system::SYSTEM,
        &absent("trust", "Manage trust on Docker images"),
        &volume::VOLUME,
        &swarm("config", "Manage Swarm configs"),
        &swarm("node", "Manage Swarm nodes"),
        &swarm("secret", "Manage Swarm secrets"),
        &swarm("service", "Manage Swarm services"),
        &swarm("stack", "Manage Swarm stacks"),
        &swarm("swarm", "Manage Swarm"),
    ],
    shortcuts: &[
        shortcut("attach", &container::attach::COMMAND, 0),
        shortcut("build", &image::build::COMMAND, 4),
        shortcut("commit", &container::commit::COMMAND, 0),
        shortcut("cp", &container::cp::COMMAND, 0),
        shortcut("create", &container::create::COMMAND, 0),
        shortcut("diff", &container::diff::COMMAND, 0),
        shortcut("events", &system::events::COMMAND, 0),
        shortcut("exec", &container::exec::COMMAND, 2),
        shortcut("export", &container::export::COMMAND, 0),
        shortcut("history", &image::history::COMMAND, 0),
        shortcut("images", &image::ls::COMMAND, 7),
        shortcut("import", &image::import::COMMAND, 0),
        shortcut("info", &system::info::COMMAND, 12),
        shortcut("inspect", &root::inspect::COMMAND, 0),
        shortcut("kill", &container::kill::COMMAND, 0),
        shortcut("load", &image::load::COMMAND, 0),
        shortcut("login", &root::login::COMMAND, 8),
        shortcut("logout", &root::logout::COMMAND, 9),
        shortcut("logs", &container::logs::COMMAND, 0),
        shortcut("pause", &container::pause::COMMAND, 0),
        shortcut("port", &container::port::COMMAND, 0),
        shortcut("ps", &container::ls::COMMAND, 3),
        shortcut("pull", &image::pull::COMMAND, 5),
        shortcut("push", &image::push::COMMAND, 6),
        shortcut("rename", &container::rename::COMMAND, 0),
        shortcut("restart", &container::restart::COMMAND, 0),
        shortcut("rm", &container::rm::COMMAND, 0),
        shortcut("rmi", &image::rm::COMMAND, 0),
        shortcut("run", &container::run::COMMAND, 1),
        shortcut("save", &image::save::COMMAND, 0),
        shortcut("search", &root::search::COMMAND, 10),
        shortcut("start", &container::start::COMMAND, 0),
        shortcut("stats", &container::stats::COMMAND, 0),
        shortcut("stop", &container::stop::COMMAND, 0),
        shortcut("tag", &image::tag::COMMAND, 0),
        shortcut("top", &container::top::COMMAND, 0),
        shortcut("unpause", &container::unpause::COMMAND, 0),
        shortcut("update", &container::update::COMMAND, 0),
        shortcut("version", &root::version::COMMAND, 11),
        shortcut("wait", &container::wait::COMMAND, 0),
    ],
    flags: GLOBAL,
};

static GLOBAL: &[Flag] = &[
    long("config", Text, "Location of client config files (default \"/root/.docker\")").not_simulated(),
    flag('c', "context", Text, "Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and default context set with \"docker context use\")").not_simulated(),
    flag('D', "debug", Bool(false), "Enable debug mode"),
    flag('H', "host", List, "Daemon socket to connect to").not_simulated(),
    flag('l', "log-level", Text, "Set the logging level (\"debug\", \"info\", \"warn\", \"error\", \"fatal\") (default \"info\")"),
    long("tls", Bool(false), "Use TLS; implied by --tlsverify").not_simulated(),
    long("tlscacert", Text, "Trust certs signed only by this CA (default \"/root/.docker/ca.pem\")").not_simulated(),
    long("tlscert", Text, "Path to TLS certificate file (default \"/root/.docker/cert.pem\")").not_simulated(),
    long("tlskey", Text, "Path to TLS key file (default \"/root/.docker/key.pem\")").not_simulated(),
    long("tlsverify", Bool(false), "Use TLS and verify the remote").not_simulated(),
    flag('v', "version", Bool(false), "Print version information and quit"),
];

const fn absent(name: &'static str, short: &'static str) -> Noun {
    Noun::new(name, short, &[])
}

const fn swarm(name: &'static str, short: &'static str) -> Noun {
    Noun { place: Place::Swarm, ..Noun::new(name, short, &[]) }
}

const fn shortcut(name: &'static str, command: &'static super::command::Command, common: u8) -> Shortcut {
    Shortcut { name, command, common }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::sort::Arrange;

    #[test]
    fn the_tables_are_sorted_and_name_each_thing_once() {
        assert!(
            ROOT.nouns
                .windows(2)
                .all(|pair| (pair[0].place == Place::Swarm, pair[0].name)
                    < (pair[1].place == Place::Swarm, pair[1].name))
        );
        assert!(ROOT.shortcuts.windows(2).all(|pair| pair[0].name < pair[1].name));
        for noun in ROOT.nouns {
            assert!(noun.verbs.windows(2).all(|pair| pair[0].name < pair[1].name), "{}", noun.name);
            for command in noun.verbs {
                let mut longs: Vec<&str> = command.flags().map(|flag| flag.long).collect();
                let mut shorts: Vec<char> =
                    command.flags().map(|flag| flag.short).filter(|short| *short != '\0').collect();
                longs.arrange();
                shorts.arrange();
                assert!(longs.windows(2).all(|pair| pair[0] < pair[1]), "{}", command.name);
                assert!(shorts.windows(2).all(|pair| pair[0] < pair[1]), "{}", command.name);
            }
        }
    }
}
