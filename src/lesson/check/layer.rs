//! `whiteout PATH in IMAGE`: a layer of the image hides what a lower one has there.
//!
//! `whiteout /tmp/cache.tar in gorda`

use std::rc::Rc;

use super::{Check, Miss};
use crate::lesson::say::Say;
use crate::lesson::scene::Scene;
use crate::lesson::words::Words;

#[derive(Debug)]
struct Whiteout {
    path: String,
    image: String,
}

pub(super) fn parse(words: &mut Words) -> Result<Rc<dyn Check>, Say> {
    let path = words.need(Say::new(["una ruta", "a path"]))?;
    words.expect("in")?;
    let image = words.need(Say::new(["el nombre de una imagen", "the name of an image"]))?;
    Ok(Rc::new(Whiteout { path, image }))
}

impl Check for Whiteout {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss> {
        let none = || Miss::far(Say::new(["no hay imagen `{0}`", "there is no image `{0}`"]).text(&self.image));
        let stack = scene.image(&self.image).and_then(|_| scene.stack(&self.image)).ok_or_else(none)?;
        if stack.hides(&self.path) {
            return Ok(());
        }
        let say = if stack.copies(&self.path) > 0 {
            Say::new(["`{1}` sigue a la vista en `{0}`", "`{1}` still shows in `{0}`"])
        } else {
            Say::new(["ninguna capa de `{0}` tuvo nunca `{1}`", "no layer of `{0}` ever had `{1}`"])
        };
        Err(Miss::near(say.text(&self.image).text(&self.path)))
    }

    fn tell(&self, negated: bool) -> Say {
        let texts = if negated {
            ["Ninguna capa de `{0}` tapa `{1}`", "No layer of `{0}` hides `{1}`"]
        } else {
            ["Una capa de `{0}` tapa `{1}`", "A layer of `{0}` hides `{1}`"]
        };
        Say::new(texts).text(&self.image).text(&self.path)
    }
}
