//! `port HOST[:INSIDE] [to CONTAINER]`: a running container answers for this port of the student's computer.
//!
//! `port 9003:8003 to instancia1`

use std::rc::Rc;

use super::container::parse_port;
use super::{Check, Miss};
use crate::lesson::say::Say;
use crate::lesson::scene::Scene;
use crate::lesson::words::Words;

#[derive(Debug)]
struct Port {
    host: u16,
    inside: Option<u16>,
    container: Option<String>,
}

pub(super) fn parse(words: &mut Words) -> Result<Rc<dyn Check>, Say> {
    let (host, inside) = parse_port(&words.need(Say::new(["un puerto", "a port"]))?)?;
    let container = if words.take("to") {
        Some(words.need(Say::new(["el nombre de un contenedor", "the name of a container"]))?)
    } else {
        None
    };
    Ok(Rc::new(Port { host, inside, container }))
}

impl Check for Port {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss> {
        let mut all =
            scene.containers().iter().flat_map(|container| container.ports.iter().map(move |port| (container, port)));
        let Some((container, port)) = all.find(|(_, port)| port.public_port == Some(self.host)) else {
            let none = Say::new(["nadie atiende en tu puerto {0}", "nobody answers on your port {0}"]).text(self.host);
            return Err(Miss::far(none));
        };
        if self.container.as_ref().is_some_and(|name| *name != container.name) {
            let say = Say::new(["en tu puerto {0} atiende `{1}`", "`{1}` answers on your port {0}"]);
            return Err(Miss::near(say.text(self.host).text(&container.name)));
        }
        if self.inside.is_some_and(|inside| inside != port.private_port) {
            let say = Say::new(["tu puerto {0} lleva al {1} de `{2}`", "your port {0} leads to {1} of `{2}`"]);
            return Err(Miss::near(say.text(self.host).text(port.private_port).text(&container.name)));
        }
        Ok(())
    }

    fn tell(&self, negated: bool) -> Say {
        if negated {
            return Say::new(["Tu puerto {0} está libre", "Your port {0} is free"]).text(self.host);
        }
        let inside = self.inside.map(|port| port.to_string());
        let whom = self
            .container
            .as_ref()
            .map_or(Say::new(["un contenedor", "a container"]), |name| Say::new(["`{0}`"; 2]).text(name));
        match inside {
            Some(inside) => Say::new(["Tu puerto {0} lleva al {1} de {2}", "Your port {0} leads to {1} of {2}"])
                .text(self.host)
                .text(inside)
                .say(whom),
            None => {
                Say::new(["En tu puerto {0} atiende {1}", "{1} answers on your port {0}"]).text(self.host).say(whom)
            }
        }
    }
}
