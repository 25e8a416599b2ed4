//! `file PATH [in container|image|volume NAME] [CONDITION...]`; without `in` it is a file of the student's computer.
//!
//! Conditions: `containing TEXT`, `with TEXT` (exactly that, blanks at the ends aside), `empty`, `folder`, `mode 755`, `owner UID`,
//! `executable`. `file /etc/motd in container web containing "hola"`

use std::rc::Rc;

use bstr::ByteSlice;

use super::{Check, Miss, list};
use crate::lesson::say::Say;
use crate::lesson::scene::{Found, Scene, Whose};
use crate::lesson::words::Words;
use crate::os::fs::node::Kind;

#[derive(Debug)]
struct File {
    path: String,
    whose: Whose,
    conditions: Vec<Condition>,
}

#[derive(Debug)]
enum Condition {
    Containing(String),
    With(String),
    Empty,
    Folder,
    Mode(u32),
    Owner(u32),
    Executable,
}

/// Reads `in container|image|volume NAME`, where it stands.
pub(super) fn parse_whose(words: &mut Words) -> Result<Whose, Say> {
    if !words.take("in") {
        return Ok(Whose::Host);
    }
    let make = match words.peek() {
        Some("container") => Whose::Container,
        Some("image") => Whose::Image,
        Some("volume") => Whose::Volume,
        _ => return Err(words.unexpected("container, image, volume")),
    };
    drop(words.next());
    words.need(Say::new(["un nombre", "a name"])).map(make)
}

/// `in` whom a path is, for a sentence.
pub(super) fn tell_whose(whose: &Whose) -> Say {
    match whose {
        Whose::Host => Say::new(["en tu equipo", "on your computer"]),
        Whose::Container(name) => Say::new(["en el contenedor `{0}`", "in the container `{0}`"]).text(name),
        Whose::Image(name) => Say::new(["en la imagen `{0}`", "in the image `{0}`"]).text(name),
        Whose::Volume(name) => Say::new(["en el volumen `{0}`", "in the volume `{0}`"]).text(name),
    }
}

pub(super) fn parse(words: &mut Words) -> Result<Rc<dyn Check>, Say> {
    let path = words.need(Say::new(["la ruta del fichero", "the file's path"]))?;
    let whose = parse_whose(words)?;
    let mut conditions = Vec::new();
    while let Some(word) = words.peek().map(ToOwned::to_owned) {
        let unknown = words.unexpected("containing, with, empty, folder, mode, owner, executable");
        drop(words.next());
        let mut value = || words.need(Say::new(["algo después de `{0}`", "something after `{0}`"]).text(&word));
        conditions.push(match word.as_str() {
            "containing" => Condition::Containing(value()?),
            "with" => Condition::With(value()?),
            "empty" => Condition::Empty,
            "folder" => Condition::Folder,
            "mode" => Condition::Mode(
                u32::from_str_radix(&value()?, 8)
                    .map_err(|_| Say::new(["`mode` pide permisos en octal", "`mode` asks for permissions in octal"]))?,
            ),
            "owner" => Condition::Owner(
                value()?.parse().map_err(|_| Say::new(["`owner` pide un número", "`owner` asks for a number"]))?,
            ),
            "executable" => Condition::Executable,
            _ => return Err(unknown),
        });
    }
    Ok(Rc::new(File { path, whose, conditions }))
}

impl Condition {
    fn tell(&self) -> Say {
        match self {
            Self::Containing(text) => Say::new(["que contiene `{0}`", "that contains `{0}`"]).text(text),
            Self::With(text) => Say::new(["con el texto `{0}`", "with the text `{0}`"]).text(text),
            Self::Empty => Say::new(["vacío", "empty"]),
            Self::Folder => Say::new(["que es una carpeta", "that is a folder"]),
            Self::Mode(mode) => Say::new(["con permisos {0}", "with permissions {0}"]).text(format!("{mode:o}")),
            Self::Owner(uid) => Say::new(["del usuario {0}", "of the user {0}"]).text(uid),
            Self::Executable => Say::new(["ejecutable", "executable"]),
        }
    }

    fn judge(&self, path: &str, found: &Found) -> Result<(), Say> {
        let text = found.text.as_deref();
        let say = |texts| Say::new(texts).text(path);
        let (is, why) = match self {
            Self::Containing(wanted) => (
                text.is_some_and(|text| text.contains_str(wanted)),
                say(["`{0}` está, pero no contiene `{1}`", "`{0}` is there, but it does not contain `{1}`"])
                    .text(wanted),
            ),
            Self::With(wanted) => (
                text.is_some_and(|text| text.trim_ascii() == wanted.trim().as_bytes()),
                say(["`{0}` está, pero su texto es otro", "`{0}` is there, but its text is another"]),
            ),
            Self::Empty => (text == Some(b"".as_slice()), say(["`{0}` no está vacío", "`{0}` is not empty"])),
            Self::Folder => (found.kind == Kind::Dir, say(["`{0}` no es una carpeta", "`{0}` is no folder"])),
            Self::Mode(mode) => (
                found.mode == *mode,
                say(["los permisos de `{0}` son {1}", "the permissions of `{0}` are {1}"])
                    .text(format!("{:o}", found.mode)),
            ),
            Self::Owner(uid) => {
                (found.uid == *uid, say(["`{0}` es del usuario {1}", "`{0}` is of the user {1}"]).text(found.uid))
            }
            Self::Executable => (found.mode & 0o111 != 0, say(["`{0}` no es ejecutable", "`{0}` is not executable"])),
        };
        if is { Ok(()) } else { Err(why) }
    }
}

impl Check for File {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss> {
        let Some(found) = scene.file(&self.whose, &self.path) else {
            let none =
                Say::new(["no hay `{0}` {1}", "there is no `{0}` {1}"]).text(&self.path).say(tell_whose(&self.whose));
            // The same path in another container is what one gets by mixing names up.
            if let Whose::Container(name) = &self.whose {
                let others = scene.containers().iter().filter(|c| c.name != *name);
                let holds = |other: &str| {
                    let found = scene.file(&Whose::Container(other.to_owned()), &self.path);
                    found.is_some_and(|found| self.conditions.iter().all(|c| c.judge(&self.path, &found).is_ok()))
                };
                if let Some(other) = others.map(|c| c.name.as_str()).find(|other| holds(other)) {
                    let say = Say::new(["`{0}` está en `{1}`, y no en `{2}`", "`{0}` is in `{1}`, not in `{2}`"]);
                    return Err(Miss::near(say.text(&self.path).text(other).text(name)));
                }
            }
            return Err(Miss::far(none));
        };
        self.conditions.iter().try_for_each(|c| c.judge(&self.path, &found).map_err(Miss::near))
    }

    fn tell(&self, negated: bool) -> Say {
        let file = Say::new(["`{0}` {1}", "`{0}` {1}"]).text(&self.path).say(tell_whose(&self.whose));
        let mut parts = vec![file];
        parts.extend(self.conditions.iter().map(Condition::tell));
        let texts = if negated { ["No está: {0}", "Is not there: {0}"] } else { ["Está: {0}", "Is there: {0}"] };
        Say::new(texts).say(list(parts))
    }
}
