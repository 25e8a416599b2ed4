//! `network NAME [with CONTAINER...]`
//!
//! `network mi-red with web base`

use std::rc::Rc;

use super::{Check, Miss};
use crate::lesson::say::Say;
use crate::lesson::scene::Scene;
use crate::lesson::words::Words;

#[derive(Debug)]
struct Network {
    name: String,
    members: Vec<String>,
}

pub(super) fn parse(words: &mut Words) -> Result<Rc<dyn Check>, Say> {
    let name = words.need(Say::new(["el nombre de la red", "the network's name"]))?;
    let mut members = Vec::new();
    if words.take("with") {
        members.push(words.need(Say::new(["el nombre de un contenedor", "the name of a container"]))?);
        while let Some(member) = words.next() {
            members.push(member);
        }
    }
    Ok(Rc::new(Network { name, members }))
}

impl Check for Network {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss> {
        if !scene.snapshot().networks.iter().any(|network| network.name == self.name) {
            return Err(Miss::far(Say::new(["no hay red `{0}`", "there is no network `{0}`"]).text(&self.name)));
        }
        for member in &self.members {
            let Some(container) = scene.container(member) else {
                let say = Say::new([
                    "la red `{0}` está; falta el contenedor `{1}`",
                    "the network `{0}` is there; the container `{1}` is missing",
                ]);
                return Err(Miss::near(say.text(&self.name).text(member)));
            };
            if !container.networks.iter().any(|(name, _)| *name == self.name) {
                let say =
                    Say::new(["`{1}` no está conectado a la red `{0}`", "`{1}` is not connected to the network `{0}`"]);
                return Err(Miss::near(say.text(&self.name).text(member)));
            }
        }
        Ok(())
    }

    fn tell(&self, negated: bool) -> Say {
        let network = match self.members.as_slice() {
            [] => Say::new(["la red `{0}`", "the network `{0}`"]).text(&self.name),
            members => Say::new(["la red `{0}`, con {1}", "the network `{0}`, with {1}"])
                .text(&self.name)
                .text(members.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
        };
        Say::new(if negated { ["No está: {0}", "Is not there: {0}"] } else { ["Está: {0}", "Is there: {0}"] })
            .say(network)
    }
}
