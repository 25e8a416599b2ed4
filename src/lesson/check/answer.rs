//! `answer FILE = MEASURE`: the student wrote into a file what can be read off the machine.
//!
//! `answer ~/capas.txt = layers of postgres:11`

use std::rc::Rc;

use super::{Check, Miss};
use crate::lesson::measure::Measure;
use crate::lesson::say::Say;
use crate::lesson::scene::Scene;
use crate::lesson::words::Words;

#[derive(Debug)]
struct Answer {
    file: String,
    measure: Measure,
}

pub(super) fn parse(words: &mut Words) -> Result<Rc<dyn Check>, Say> {
    let file = words.need(Say::new(["la ruta de un fichero", "the path of a file"]))?;
    words.expect("=")?;
    Ok(Rc::new(Answer { file, measure: Measure::parse(words)? }))
}

impl Check for Answer {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss> {
        let Some(text) = scene.host_text(&self.file) else {
            return Err(Miss::far(Say::new(["no hay fichero `{0}`", "there is no file `{0}`"]).text(&self.file)));
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(Miss::near(Say::new(["`{0}` está vacío", "`{0}` is empty"]).text(&self.file)));
        }
        let Some(value) = self.measure.of(scene) else {
            let say = Say::new(["aún no se puede saber: {0}", "it can't be told yet: {0}"]).say(self.measure.tell());
            return Err(Miss::near(say));
        };
        // A program's line may have more words than the answer: `sha256sum` prints the file's name too.
        if value.is_meant_by(text) || text.split_whitespace().next().is_some_and(|word| value.is_meant_by(word)) {
            return Ok(());
        }
        let shown: String = text.chars().take(24).collect();
        let say = Say::new(["en `{0}` pone «{1}», y no es eso", "`{0}` says “{1}”, which is not it"]);
        Err(Miss::near(say.text(&self.file).text(shown)))
    }

    fn tell(&self, negated: bool) -> Say {
        let texts = if negated {
            ["En `{0}` no está la respuesta: {1}", "`{0}` does not hold the answer: {1}"]
        } else {
            ["En `{0}` está la respuesta: {1}", "`{0}` holds the answer: {1}"]
        };
        Say::new(texts).text(&self.file).say(self.measure.tell())
    }
}
