//! `history IMAGE containing TEXT`: a line of `docker history` has this in it.
//!
//! `history mi-web containing "COPY . /usr/share"`

use std::rc::Rc;

use super::{Check, Miss};
use crate::lesson::say::Say;
use crate::lesson::scene::Scene;
use crate::lesson::words::Words;

#[derive(Debug)]
struct History {
    image: String,
    text: String,
}

pub(super) fn parse(words: &mut Words) -> Result<Rc<dyn Check>, Say> {
    let image = words.need(Say::new(["el nombre de una imagen", "the name of an image"]))?;
    words.expect("containing")?;
    let text = words.need(Say::new(["un texto", "a text"]))?;
    Ok(Rc::new(History { image, text }))
}

impl Check for History {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss> {
        let none = || Miss::far(Say::new(["no hay imagen `{0}`", "there is no image `{0}`"]).text(&self.image));
        let stack = scene.image(&self.image).and_then(|_| scene.stack(&self.image)).ok_or_else(none)?;
        if stack.config.history.iter().any(|line| line.created_by.contains(&self.text)) {
            return Ok(());
        }
        let say = Say::new(["en el historial de `{0}` no aparece `{1}`", "the history of `{0}` does not show `{1}`"]);
        Err(Miss::near(say.text(&self.image).text(&self.text)))
    }

    fn tell(&self, negated: bool) -> Say {
        let texts = if negated {
            ["En el historial de `{0}` no aparece `{1}`", "The history of `{0}` does not show `{1}`"]
        } else {
            ["En el historial de `{0}` aparece `{1}`", "The history of `{0}` shows `{1}`"]
        };
        Say::new(texts).text(&self.image).text(&self.text)
    }
}
