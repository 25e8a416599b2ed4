//! `image REF [CONDITION...]`
//!
//! Conditions: `on REF` (all layers of that image are its lowest), `on scratch` (none of
//! its layers is of the catalogue), `same REF` (another name of it), `not REF` (no longer the same as), `env
//! NAME=VALUE`, `label NAME=VALUE`, `user NAME`, `workdir PATH`, `exposes PORT`, `command TEXT` and `entrypoint TEXT` (a
//! part). `image mi-web on nginx exposes 80`

use std::rc::Rc;

use super::{Check, Miss, list};
use crate::docker::image::config::ContainerConfig;
use crate::lesson::say::Say;
use crate::lesson::scene::{Scene, Stack};
use crate::lesson::words::Words;

#[derive(Debug)]
struct Image {
    name: String,
    conditions: Vec<Condition>,
}

#[derive(Debug)]
enum Condition {
    On(String),
    FromScratch,
    Same(String),
    Differs(String),
    Env(String),
    Label(String),
    User(String),
    Workdir(String),
    Exposes(String),
    Command(String),
    Entrypoint(String),
}

const FITTING: &str = "on, same, not, env, label, user, workdir, exposes, command, entrypoint";

pub(super) fn parse(words: &mut Words) -> Result<Rc<dyn Check>, Say> {
    let name = words.need(Say::new(["el nombre de la imagen", "the image's name"]))?;
    let mut conditions = Vec::new();
    while let Some(word) = words.peek().map(ToOwned::to_owned) {
        let unknown = words.unexpected(FITTING);
        drop(words.next());
        let mut value = || words.need(Say::new(["algo después de `{0}`", "something after `{0}`"]).text(&word));
        conditions.push(match word.as_str() {
            "on" => match value()? {
                base if base == "scratch" => Condition::FromScratch,
                base => Condition::On(base),
            },
            "same" => Condition::Same(value()?),
            "not" => Condition::Differs(value()?),
            "env" => Condition::Env(value()?),
            "label" => Condition::Label(value()?),
            "user" => Condition::User(value()?),
            "workdir" => Condition::Workdir(value()?),
            "exposes" => Condition::Exposes(value()?),
            "command" => Condition::Command(value()?),
            "entrypoint" => Condition::Entrypoint(value()?),
            _ => return Err(unknown),
        });
    }
    Ok(Rc::new(Image { name, conditions }))
}

impl Condition {
    fn tell(&self) -> Say {
        let with = |texts, text: &str| Say::new(texts).text(text);
        match self {
            Self::On(base) => with(["construida sobre `{0}`", "built on `{0}`"], base),
            Self::FromScratch => Say::new(["construida desde `scratch`", "built from `scratch`"]),
            Self::Same(other) => with(["que es la misma que `{0}`", "that is the same as `{0}`"], other),
            Self::Differs(other) => with(["que ya no es `{0}`", "that is not `{0}`"], other),
            Self::Env(word) => with(["con la variable `{0}`", "with the variable `{0}`"], word),
            Self::Label(word) => with(["con la etiqueta `{0}`", "with the label `{0}`"], word),
            Self::User(user) => with(["con el usuario `{0}`", "with the user `{0}`"], user),
            Self::Workdir(path) => with(["con la carpeta de trabajo `{0}`", "with the working directory `{0}`"], path),
            Self::Exposes(port) => with(["que anuncia el puerto {0}", "that announces port {0}"], port),
            Self::Command(text) => with(["cuya orden (`CMD`) tiene `{0}`", "whose `CMD` has `{0}`"], text),
            Self::Entrypoint(text) => with(["cuyo `ENTRYPOINT` tiene `{0}`", "whose `ENTRYPOINT` has `{0}`"], text),
        }
    }

    fn judge(&self, scene: &Scene<'_>, name: &str, stack: &Stack) -> Result<(), Say> {
        let config: &ContainerConfig = &stack.config.config;
        let line = |words: &Option<Vec<String>>| words.iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        let has = |is: bool, texts: [&'static str; 2], own: &str| {
            if is { Ok(()) } else { Err(Say::new(texts).text(name).text(own)) }
        };
        match self {
            Self::On(base) => {
                let chains = scene.stack(base).map(|base| base.chains()).unwrap_or_default();
                let shared = stack.chains().iter().zip(&chains).take_while(|(a, b)| a == b).count();
                let is = !chains.is_empty() && shared == chains.len();
                let why = Say::new([
                    "`{0}` no está construida sobre `{1}`: comparten {2} de sus {3} capas",
                    "`{0}` is not built on `{1}`: it has {2} of its {3} layers",
                ]);
                if is { Ok(()) } else { Err(why.text(name).text(base).text(shared).text(chains.len())) }
            }
            Self::FromScratch => {
                // What BuildKit put into an empty image is the first line of its history; the bases of the catalogue
                // were made by the classic builder.
                let first = stack.config.history.first().map_or("", |line| line.created_by.as_str());
                has(
                    !first.contains("#(nop) ADD file:"),
                    [
                        "`{0}` está sobre una imagen de Docker Hub: empieza por `{1}`",
                        "`{0}` stands on an image of Docker Hub: it begins with `{1}`",
                    ],
                    first,
                )
            }
            Self::Same(other) => has(
                scene.image(name).is_some() && scene.image(name) == scene.image(other),
                ["`{0}` y `{1}` son imágenes distintas", "`{0}` and `{1}` are different images"],
                other,
            ),
            Self::Differs(other) => has(
                scene.image(name) != scene.image(other),
                ["`{0}` sigue siendo la misma imagen que `{1}`", "`{0}` still is the same image as `{1}`"],
                other,
            ),
            Self::Env(word) => has(
                config.env.contains(word),
                ["`{0}` no tiene la variable `{1}`", "`{0}` does not have the variable `{1}`"],
                word,
            ),
            Self::Label(word) => {
                let (key, value) = word.split_once('=').map_or((word.as_str(), None), |(k, v)| (k, Some(v)));
                let own = config.labels.get(key);
                has(
                    own.is_some_and(|own| value.is_none_or(|value| own == value)),
                    ["`{0}` no tiene la etiqueta `{1}`", "`{0}` does not have the label `{1}`"],
                    word,
                )
            }
            Self::User(user) => {
                let own = if config.user.is_empty() { "root" } else { &config.user };
                has(own == user, ["el usuario de `{0}` es `{1}`", "the user of `{0}` is `{1}`"], own)
            }
            Self::Workdir(path) => {
                let own = if config.working_dir.is_empty() { "/" } else { &config.working_dir };
                has(
                    own == path,
                    ["la carpeta de trabajo de `{0}` es `{1}`", "the working directory of `{0}` is `{1}`"],
                    own,
                )
            }
            Self::Exposes(port) => {
                let port = if port.contains('/') { port.clone() } else { format!("{port}/tcp") };
                has(
                    config.exposed_ports.contains(&port),
                    [
                        "`{0}` no anuncia el puerto `{1}` (`EXPOSE`)",
                        "`{0}` does not announce the port `{1}` (`EXPOSE`)",
                    ],
                    &port,
                )
            }
            Self::Command(text) => {
                let own = line(&config.cmd);
                has(own.contains(text.as_str()), ["el `CMD` de `{0}` es `{1}`", "the `CMD` of `{0}` is `{1}`"], &own)
            }
            Self::Entrypoint(text) => {
                let own = line(&config.entrypoint);
                has(
                    own.contains(text.as_str()),
                    ["el `ENTRYPOINT` de `{0}` es `{1}`", "the `ENTRYPOINT` of `{0}` is `{1}`"],
                    &own,
                )
            }
        }
    }
}

impl Check for Image {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss> {
        if scene.image(&self.name).is_none() {
            // The same repository with another tag is what one gets by forgetting the tag.
            let repository = self.name.rsplit_once(':').map_or(self.name.as_str(), |(repository, _)| repository);
            let mut tags = scene.snapshot().images.iter().flat_map(|image| &image.tags);
            let other = tags.find(|tag| tag.rsplit_once(':').is_some_and(|(own, _)| own == repository));
            return Err(match other {
                Some(other) => Miss::near(
                    Say::new(["no hay imagen `{0}`, pero sí `{1}`", "there is no image `{0}`, but there is `{1}`"])
                        .text(&self.name)
                        .text(other),
                ),
                None => Miss::far(Say::new(["no hay imagen `{0}`", "there is no image `{0}`"]).text(&self.name)),
            });
        }
        let stack =
            scene.stack(&self.name).ok_or_else(|| Miss::far(Say::new(["no hay imagen", "there is no image"])))?;
        self.conditions.iter().try_for_each(|c| c.judge(scene, &self.name, &stack).map_err(Miss::near))
    }

    fn tell(&self, negated: bool) -> Say {
        let mut parts = vec![Say::new(["la imagen `{0}`", "the image `{0}`"]).text(&self.name)];
        parts.extend(self.conditions.iter().map(Condition::tell));
        let texts = if negated { ["No está: {0}", "Is not there: {0}"] } else { ["Está: {0}", "Is there: {0}"] };
        Say::new(texts).say(list(parts))
    }
}
