//! `volume NAME [used by CONTAINER]`
//!
//! `volume datos used by web`

use std::rc::Rc;

use super::{Check, Miss};
use crate::lesson::say::Say;
use crate::lesson::scene::Scene;
use crate::lesson::words::Words;

#[derive(Debug)]
struct Volume {
    name: String,
    user: Option<String>,
}

pub(super) fn parse(words: &mut Words) -> Result<Rc<dyn Check>, Say> {
    let name = words.need(Say::new(["el nombre del volumen", "the volume's name"]))?;
    let user = if words.take("used") {
        words.expect("by")?;
        Some(words.need(Say::new(["el nombre de un contenedor", "the name of a container"]))?)
    } else {
        None
    };
    Ok(Rc::new(Volume { name, user }))
}

impl Check for Volume {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss> {
        let volumes = &scene.snapshot().volumes;
        if !volumes.iter().any(|volume| volume.name == self.name) {
            return Err(match volumes.first() {
                Some(other) => Miss::near(
                    Say::new(["no hay volumen `{0}`, pero sí `{1}`", "there is no volume `{0}`, but there is `{1}`"])
                        .text(&self.name)
                        .text(&other.name),
                ),
                None => Miss::far(Say::new(["no hay volumen `{0}`", "there is no volume `{0}`"]).text(&self.name)),
            });
        }
        let Some(user) = &self.user else { return Ok(()) };
        match scene.container(user) {
            Some(container) if container.volumes.iter().any(|(name, _)| *name == self.name) => Ok(()),
            Some(_) => Err(Miss::near(
                Say::new(["`{0}` no monta el volumen `{1}`", "`{0}` does not mount the volume `{1}`"])
                    .text(user)
                    .text(&self.name),
            )),
            None => {
                Err(Miss::far(Say::new(["no hay ningún contenedor `{0}`", "there is no container `{0}`"]).text(user)))
            }
        }
    }

    fn tell(&self, negated: bool) -> Say {
        let volume = match &self.user {
            Some(user) => Say::new(["el volumen `{0}`, montado en `{1}`", "the volume `{0}`, mounted by `{1}`"])
                .text(&self.name)
                .text(user),
            None => Say::new(["el volumen `{0}`", "the volume `{0}`"]).text(&self.name),
        };
        Say::new(if negated { ["No está: {0}", "Is not there: {0}"] } else { ["Está: {0}", "Is there: {0}"] })
            .say(volume)
    }
}
