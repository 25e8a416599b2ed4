//! `change PATH in CONTAINER added|changed|deleted`: a line of `docker diff`.
//!
//! `change /etc/motd in web changed`

use std::rc::Rc;

use super::{Check, Miss};
use crate::docker::daemon::api::container::ChangeKind;
use crate::lesson::say::Say;
use crate::lesson::scene::Scene;
use crate::lesson::words::Words;

#[derive(Debug)]
struct Change {
    path: String,
    container: String,
    kind: ChangeKind,
}

const KINDS: [(&str, ChangeKind); 3] =
    [("added", ChangeKind::Add), ("changed", ChangeKind::Modify), ("deleted", ChangeKind::Delete)];

pub(super) fn parse(words: &mut Words) -> Result<Rc<dyn Check>, Say> {
    let path = words.need(Say::new(["una ruta", "a path"]))?;
    words.expect("in")?;
    let container = words.need(Say::new(["el nombre de un contenedor", "the name of a container"]))?;
    match KINDS.iter().find(|(word, _)| words.take(word)) {
        Some((_, kind)) => Ok(Rc::new(Change { path, container, kind: *kind })),
        None => Err(words.unexpected("added, changed, deleted")),
    }
}

const fn told(kind: ChangeKind) -> Say {
    Say::new(match kind {
        ChangeKind::Add => ["añadido (A)", "added (A)"],
        ChangeKind::Modify => ["cambiado (C)", "changed (C)"],
        ChangeKind::Delete => ["borrado (D)", "deleted (D)"],
    })
}

impl Check for Change {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss> {
        let Ok(changes) = scene.machine().daemon().container_changes(&self.container) else {
            let say = Say::new(["no hay ningún contenedor `{0}`", "there is no container `{0}`"]);
            return Err(Miss::far(say.text(&self.container)));
        };
        match changes.iter().find(|change| change.path == self.path.as_bytes()) {
            Some(change) if change.kind == self.kind => Ok(()),
            Some(change) => Err(Miss::near(
                Say::new(["en `{0}`, `{1}` figura como {2}", "in `{0}`, `{1}` is {2}"])
                    .text(&self.container)
                    .text(&self.path)
                    .say(told(change.kind)),
            )),
            None => Err(Miss::far(
                Say::new(["en `{0}` no ha cambiado `{1}`", "in `{0}`, `{1}` has not changed"])
                    .text(&self.container)
                    .text(&self.path),
            )),
        }
    }

    fn tell(&self, negated: bool) -> Say {
        let texts = if negated {
            ["La capa de escritura de `{0}` no tiene `{1}` {2}", "The writable layer of `{0}` does not have `{1}` {2}"]
        } else {
            ["La capa de escritura de `{0}` tiene `{1}` {2}", "The writable layer of `{0}` has `{1}` {2}"]
        };
        Say::new(texts).text(&self.container).text(&self.path).say(told(self.kind))
    }
}
