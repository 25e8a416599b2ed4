//! `container NAME|* [running|stopped|created|paused|exited N] [CONDITION...]`
//!
//! Conditions: `image REF`, `port HOST|*[:INSIDE]`, `mount SOURCE:PATH` (a volume or a folder of the host), `network NAME`,
//! `env NAME=VALUE`, `user NAME`, `command TEXT` (a part of it), `restart POLICY`, `memory SIZE`, `readonly`,
//! `autoremove`. `container instancia1 running image nginx port 9003:80`

use std::rc::Rc;

use serde_json::Value;

use super::{Check, Miss, list};
use crate::docker::daemon::api::snapshot::ContainerView;
use crate::lesson::measure::{is_in_state, number};
use crate::lesson::say::Say;
use crate::lesson::scene::{Scene, absolute};
use crate::lesson::words::Words;

#[derive(Debug)]
struct Container {
    /// `None` for any.
    name: Option<String>,
    conditions: Vec<Condition>,
}

#[derive(Debug)]
enum Condition {
    State(String),
    Exited(i64),
    Image(String),
    Port(Option<u16>, Option<u16>),
    Mount { source: String, path: String },
    Network(String),
    Env(String),
    User(String),
    Command(String),
    Restart(String),
    Memory(u64),
    ReadOnly,
    AutoRemove,
}

const FITTING: &str = "running, stopped, created, paused, exited, image, port, mount, network, env, user, command, \
                       restart, memory, readonly, autoremove";

pub(super) fn parse(words: &mut Words) -> Result<Rc<dyn Check>, Say> {
    let name = words.need(Say::new(["el nombre del contenedor, o *", "the container's name, or *"]))?;
    let mut conditions = Vec::new();
    while let Some(word) = words.peek().map(ToOwned::to_owned) {
        let unknown = words.unexpected(FITTING);
        drop(words.next());
        let mut value = || words.need(Say::new(["algo después de `{0}`", "something after `{0}`"]).text(&word));
        conditions.push(match word.as_str() {
            "running" | "stopped" | "created" | "paused" => Condition::State(word),
            "exited" => Condition::Exited(
                value()?
                    .parse()
                    .map_err(|_| Say::new(["`exited` pide un código de salida", "`exited` asks for an exit code"]))?,
            ),
            "image" => Condition::Image(value()?),
            "port" => {
                let text = value()?;
                match text.strip_prefix("*:") {
                    Some(inside) => Condition::Port(None, Some(parse_port(inside)?.0)),
                    None => {
                        let (host, inside) = parse_port(&text)?;
                        Condition::Port(Some(host), inside)
                    }
                }
            }
            "mount" => match value()?.rsplit_once(':') {
                Some((source, path)) if path.starts_with('/') => {
                    let is_path = source.starts_with(['/', '~', '.']);
                    let source = if is_path { absolute(source.trim_start_matches("./")) } else { source.to_owned() };
                    Condition::Mount { source, path: path.to_owned() }
                }
                _ => return Err(Say::new(["`mount` pide `volumen:/ruta`", "`mount` asks for `volume:/path`"])),
            },
            "network" => Condition::Network(value()?),
            "env" => Condition::Env(value()?),
            "user" => Condition::User(value()?),
            "command" => Condition::Command(value()?),
            "restart" => Condition::Restart(value()?),
            "memory" => Condition::Memory(number(&value()?)?),
            "readonly" => Condition::ReadOnly,
            "autoremove" => Condition::AutoRemove,
            _ => return Err(unknown),
        });
    }
    Ok(Rc::new(Container { name: (name != "*").then_some(name), conditions }))
}

/// `9003` or `9003:8003`.
pub(super) fn parse_port(text: &str) -> Result<(u16, Option<u16>), Say> {
    let (host, inside) = text.split_once(':').map_or((text, None), |(host, inside)| (host, Some(inside)));
    let bad =
        || Say::new(["`{0}` no es un puerto: `9003` o `9003:80`", "`{0}` is no port: `9003` or `9003:80`"]).text(text);
    let inside = inside.map(|port| port.parse().map_err(|_| bad())).transpose()?;
    Ok((host.parse().map_err(|_| bad())?, inside))
}

fn at<'a>(document: &'a Value, path: &str) -> &'a Value {
    document.pointer(path).unwrap_or(&Value::Null)
}

fn texts_of(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

impl Condition {
    fn tell(&self) -> Say {
        let with = |texts, text: &str| Say::new(texts).text(text);
        match self {
            Self::State(state) => Say::new(match state.as_str() {
                "running" => ["en marcha", "running"],
                "paused" => ["en pausa", "paused"],
                "created" => ["creado y sin arrancar", "created and never started"],
                _ => ["parado", "stopped"],
            }),
            Self::Exited(code) => Say::new(["terminado con el código {0}", "ended with code {0}"]).text(code),
            Self::Image(image) => with(["de la imagen `{0}`", "of the image `{0}`"], image),
            Self::Port(None, inside) => {
                Say::new(["que publica su puerto {0}", "that publishes its port {0}"]).text(inside.unwrap_or_default())
            }
            Self::Port(Some(host), None) => Say::new(["en tu puerto {0}", "on your port {0}"]).text(host),
            Self::Port(Some(host), Some(inside)) => {
                Say::new(["con tu puerto {0} unido a su {1}", "with your port {0} bound to its {1}"])
                    .text(host)
                    .text(inside)
            }
            Self::Mount { source, path } => with(["con `{0}` en `{1}`", "with `{0}` at `{1}`"], source).text(path),
            Self::Network(name) => with(["en la red `{0}`", "in the network `{0}`"], name),
            Self::Env(word) => with(["con la variable `{0}`", "with the variable `{0}`"], word),
            Self::User(user) => with(["como usuario `{0}`", "as the user `{0}`"], user),
            Self::Command(text) => with(["que ejecuta `{0}`", "that runs `{0}`"], text),
            Self::Restart(policy) => {
                with(["con la política de reinicio `{0}`", "with the restart policy `{0}`"], policy)
            }
            Self::Memory(bytes) => with(
                ["con un límite de memoria de {0}", "with a memory limit of {0}"],
                &crate::base::size::bytes_size(*bytes),
            ),
            Self::ReadOnly => Say::new(["con la raíz de solo lectura", "with a read-only root"]),
            Self::AutoRemove => {
                Say::new(["que se borra al terminar (`--rm`)", "that is removed when it ends (`--rm`)"])
            }
        }
    }

    /// Why a container is not so.
    fn judge(&self, scene: &Scene<'_>, container: &ContainerView, document: &Value) -> Result<(), Say> {
        let name = || container.name.as_str();
        let (is, why) = match self {
            Self::State(wanted) => {
                let why = Say::new(["hay un contenedor `{0}`, pero {1}", "there is a container `{0}`, but it {1}"]);
                (is_in_state(container.state, wanted), why.text(name()).say(told_state(container.state)))
            }
            Self::Exited(code) => {
                let why = match container.exit_code {
                    Some(was) => Say::new(["`{0}` terminó con el código {1}", "`{0}` ended with code {1}"])
                        .text(name())
                        .text(was),
                    None => Say::new(["`{0}` aún no ha terminado", "`{0}` has not ended yet"]).text(name()),
                };
                (is_in_state(container.state, "stopped") && container.exit_code == Some(*code), why)
            }
            Self::Image(image) => {
                let why = Say::new([
                    "hay un contenedor `{0}`, pero es de la imagen `{1}`",
                    "there is a container `{0}`, but it is of the image `{1}`",
                ]);
                let is = scene.image(image) == Some(container.image_id);
                (is, why.text(name()).text(&container.image))
            }
            Self::Port(host, inside) => {
                let mut published =
                    container.ports.iter().filter_map(|port| Some((port.public_port?, port.private_port)));
                let is = published.clone().any(|(public, private)| {
                    host.is_none_or(|host| host == public) && inside.is_none_or(|p| p == private)
                });
                let why = match published.next() {
                    None => Say::new(["`{0}` no publica ningún puerto", "`{0}` publishes no port"]).text(name()),
                    Some((public, private)) => Say::new([
                        "`{0}` une tu puerto {1} a su {2}, y no es eso lo que se pide",
                        "`{0}` binds your port {1} to its {2}, which is not what is asked for",
                    ])
                    .text(name())
                    .text(public)
                    .text(private),
                };
                (is, why)
            }
            Self::Mount { source, path } => {
                let mounts = at(document, "/Mounts").as_array().map(Vec::as_slice).unwrap_or_default();
                let here = mounts.iter().find(|mount| at(mount, "/Destination") == path.as_str());
                let of = |mount: &Value| [at(mount, "/Name").clone(), at(mount, "/Source").clone()];
                let is = here.is_some_and(|mount| of(mount).iter().any(|own| own == source.as_str()));
                let why = match here {
                    Some(_) => Say::new([
                        "en `{1}` de `{0}` hay otra cosa montada",
                        "something else is mounted at `{1}` of `{0}`",
                    ]),
                    None => Say::new(["`{0}` no tiene nada montado en `{1}`", "`{0}` has nothing mounted at `{1}`"]),
                };
                (is, why.text(name()).text(path))
            }
            Self::Network(network) => {
                let networks = at(document, "/NetworkSettings/Networks");
                let why = Say::new(["`{0}` no está en la red `{1}`", "`{0}` is not in the network `{1}`"]);
                (networks.get(network).is_some(), why.text(name()).text(network))
            }
            Self::Env(word) => {
                let why = Say::new(["`{0}` no tiene la variable `{1}`", "`{0}` does not have the variable `{1}`"]);
                (texts_of(at(document, "/Config/Env")).contains(&word.as_str()), why.text(name()).text(word))
            }
            Self::User(user) => {
                let why = Say::new(["`{0}` no corre como `{1}`", "`{0}` does not run as `{1}`"]);
                (at(document, "/Config/User") == user.as_str(), why.text(name()).text(user))
            }
            Self::Command(text) => {
                let path = at(document, "/Path").as_str().unwrap_or_default();
                let line = [&[path], texts_of(at(document, "/Args")).as_slice()].concat().join(" ");
                let why = Say::new(["`{0}` ejecuta `{1}`", "`{0}` runs `{1}`"]).text(name()).text(&line);
                (line.contains(text.as_str()), why)
            }
            Self::Restart(policy) => {
                let own = at(document, "/HostConfig/RestartPolicy/Name").as_str().unwrap_or_default();
                let why =
                    Say::new(["la política de reinicio de `{0}` es `{1}`", "the restart policy of `{0}` is `{1}`"]);
                (own == policy, why.text(name()).text(own))
            }
            Self::Memory(bytes) => {
                let why = Say::new(["`{0}` no tiene ese límite de memoria", "`{0}` does not have that memory limit"]);
                (at(document, "/HostConfig/Memory").as_u64() == Some(*bytes), why.text(name()))
            }
            Self::ReadOnly => {
                let why = Say::new(["`{0}` puede escribir en su raíz", "`{0}` can write to its root"]);
                (at(document, "/HostConfig/ReadonlyRootfs") == &Value::Bool(true), why.text(name()))
            }
            Self::AutoRemove => {
                let why = Say::new(["`{0}` se quedará cuando termine", "`{0}` will stay when it ends"]);
                (at(document, "/HostConfig/AutoRemove") == &Value::Bool(true), why.text(name()))
            }
        };
        if is { Ok(()) } else { Err(why) }
    }
}

fn told_state(state: &str) -> Say {
    Say::new(match state {
        "running" | "restarting" => ["está en marcha", "is running"],
        "paused" => ["está en pausa", "is paused"],
        "created" => ["aún no ha arrancado", "has not started yet"],
        _ => ["está parado", "is stopped"],
    })
}

impl Container {
    fn misses(&self, scene: &Scene<'_>, container: &ContainerView) -> Vec<Say> {
        let document = scene.document(container);
        self.conditions.iter().filter_map(|c| c.judge(scene, container, &document).err()).collect()
    }

    /// The best container's misses.
    fn closest<'a>(
        &self,
        scene: &Scene<'_>,
        all: impl Iterator<Item = &'a ContainerView>,
    ) -> Option<(&'a ContainerView, Vec<Say>)> {
        all.map(|container| (container, self.misses(scene, container))).min_by_key(|(_, misses)| misses.len())
    }

    fn who(&self) -> Say {
        self.name.as_ref().map_or(Say::new(["un contenedor", "a container"]), |name| {
            Say::new(["el contenedor `{0}`", "the container `{0}`"]).text(name)
        })
    }
}

impl Check for Container {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss> {
        let all = scene.containers().iter();
        let named = |c: &&ContainerView| self.name.as_ref().is_none_or(|name| c.name == *name);
        if let Some((_, misses)) = self.closest(scene, all.clone().filter(named)) {
            let near = self.name.is_some() || misses.len() < self.conditions.len();
            return misses.into_iter().next().map_or(Ok(()), |say| Err(Miss { say, near }));
        }
        let none = Say::new(["no hay {0}", "there is not {0}"]).say(self.who());
        let same = self.closest(scene, all).filter(|(_, misses)| misses.is_empty() && !self.conditions.is_empty());
        match (same, &self.name) {
            (Some((other, _)), Some(name)) => Err(Miss::near(
                Say::new([
                    "hay un contenedor así, pero se llama `{0}` y no `{1}`",
                    "there is such a container, but its name is `{0}`, not `{1}`",
                ])
                .text(&other.name)
                .text(name),
            )),
            _ => Err(Miss::far(none)),
        }
    }

    fn tell(&self, negated: bool) -> Say {
        let mut parts = vec![self.who()];
        parts.extend(self.conditions.iter().map(Condition::tell));
        let texts = if negated { ["No hay: {0}", "There is not: {0}"] } else { ["Hay: {0}", "There is: {0}"] };
        Say::new(texts).say(list(parts))
    }
}
