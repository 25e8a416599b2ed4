//! The program `capas` of the student's host: what the page draws, as text.
//!
//! A verb is a file here and a line in [`VERBS`]. Like the docker client it reaches the daemon only through
//! `docker::daemon::api`. The words are ours: Spanish, or English where `--lang en` or the locale (`LC_ALL`, `LC_MESSAGES`, `LANG`) says
//! so; a locale that names no language (`C.UTF-8`) leaves it at Spanish, the language of the course.

mod fidelity;
mod layers;
mod locate;
mod waste;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use bstr::{BString, ByteSlice};

use crate::base::digest::ImageId;
use crate::base::errno::Errno;
use crate::base::size::human_size3;
use crate::base::table::tabulate_with;
use crate::docker::build::recipe::Recipe;
use crate::docker::build::remedy::Remedy;
use crate::docker::daemon::api::Daemon;
use crate::docker::daemon::api::container::ListOptions;
use crate::docker::daemon::api::image::ImageListOptions;
use crate::docker::daemon::api::layers::{LayerRole, StackLayer};
use crate::docker::image::step::instruction_of;
use crate::os::args::scan::{Syntax, scan};
use crate::os::args::{Opt, flag, long_value};
use crate::os::kernel::Proc;

/// A text in both languages.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Spanish.
    pub es: &'static str,
    /// English.
    pub en: &'static str,
}

/// The languages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// Spanish.
    Es,
    /// English.
    En,
}

/// How a verb ends: its status, or a write that failed.
pub type Done = Result<i32, Errno>;

/// A verb at work.
pub type Running<'a> = Pin<Box<dyn Future<Output = Done> + 'a>>;

/// A verb.
pub struct Verb {
    /// Its name.
    pub name: &'static str,
    /// Its operands, as help shows them.
    pub usage: &'static str,
    /// How many operands there may be.
    pub operands: std::ops::RangeInclusive<usize>,
    /// One line on what it tells.
    pub about: Words,
    /// Does it.
    pub run: for<'a> fn(&'a Capas, &'a [BString]) -> Running<'a>,
}

/// The verbs, in the order of help.
pub static VERBS: &[Verb] = &[layers::VERB, locate::VERB, waste::VERB, fidelity::VERB];

const OPTIONS: [Opt; 2] = [long_value("lang"), flag('h', "help")];

const HELP: Words = Words {
    es: "Uso:  capas VERBO [ARGUMENTOS]\n\nLo que la página dibuja, en texto.\n\nVerbos:\n{}\n\
        Opciones:\n      --lang es|en   Idioma; si no se da, el de LC_ALL, LC_MESSAGES o LANG\n  -h, --help         Esta ayuda\n",
    en: "Usage:  capas VERB [ARGUMENTS]\n\nWhat the page draws, as text.\n\nVerbs:\n{}\n\
        Options:\n      --lang es|en   Language; otherwise that of LC_ALL, LC_MESSAGES or LANG\n  -h, --help         This help\n",
};
const UNKNOWN_VERB: Words = Words { es: "no existe el verbo «{}»", en: "there is no verb '{}'" };
const BAD_OPTION: Words = Words { es: "opción no válida", en: "invalid option" };
const BAD_LANGUAGE: Words = Words { es: "idioma desconocido «{}»: es o en", en: "unknown language '{}': es or en" };
const BAD_COUNT: Words = Words { es: "se usa así: capas {} {}", en: "use it like this: capas {} {}" };
const SEE_HELP: Words = Words { es: "Véase 'capas --help'.", en: "See 'capas --help'." };
const NO_OBJECT: Words =
    Words { es: "no hay ninguna imagen ni contenedor «{}»", en: "there is no image or container '{}'" };

/// What would make an image smaller.
pub enum Advice {
    /// No Dockerfile of the student's makes it.
    NoRecipe,
    /// Its Dockerfile can't be built any more.
    Failed(Recipe),
    /// Its Dockerfile, and the changes that help.
    Remedies(Recipe, Vec<Remedy>),
}

/// Who knows what would make an image smaller: the machine, which builds every change aside.
pub type Advise = Rc<dyn Fn(ImageId) -> Advice>;

/// The program at work.
pub struct Capas {
    /// Its process.
    pub proc: Proc,
    /// The daemon it asks.
    pub daemon: Daemon,
    /// Whom it asks for advice.
    pub advise: Advise,
    /// The language it speaks.
    pub language: Language,
}

/// The program: reads its words, runs the verb, answers the exit status.
pub async fn main(proc: Proc, daemon: Daemon, advise: Advise) -> i32 {
    let mut capas = Capas { language: of_locale(&proc), proc, daemon, advise };
    let words = capas.proc.args();
    let read = scan(&OPTIONS, Syntax::default(), words.get(1..).unwrap_or_default(), &|_, _| Ok(()));
    let Ok(read) = read else { return capas.refuse(capas.say(BAD_OPTION)).await };
    let mut help = false;
    for option in &read.occurrences {
        match &option.value {
            Some(value) => match language(value) {
                Some(language) => capas.language = language,
                None => return capas.refuse(&fill(capas.say(BAD_LANGUAGE), &[&value.to_str_lossy()])).await,
            },
            None => help = true,
        }
    }
    let operands = read.operands.get(1..).unwrap_or_default();
    let verb = match read.operands.first() {
        None => None,
        Some(name) => match VERBS.iter().find(|verb| verb.name.as_bytes() == name.as_slice()) {
            None => return capas.refuse(&fill(capas.say(UNKNOWN_VERB), &[&name.to_str_lossy()])).await,
            verb => verb,
        },
    };
    let done = match verb {
        Some(verb) if help => {
            capas.print(&format!("capas {} {}\n\n{}\n", verb.name, verb.usage, capas.say(verb.about))).await
        }
        None => capas.print(&capas.help()).await,
        Some(verb) if verb.operands.contains(&operands.len()) => (verb.run)(&capas, operands).await,
        Some(verb) => return capas.refuse(&fill(capas.say(BAD_COUNT), &[verb.name, verb.usage])).await,
    };
    done.unwrap_or(1)
}

/// What the last word can become: verbs, then images and containers.
pub fn complete(daemon: &Daemon, words: &[BString]) -> Option<Vec<BString>> {
    let typed = words.last()?;
    let place = words.iter().filter(|word| !word.starts_with(b"-")).count();
    if typed.starts_with(b"/") || typed.starts_with(b".") {
        return None;
    }
    let mut names: Vec<String> = Vec::new();
    if place <= 2 {
        names.extend(VERBS.iter().map(|verb| verb.name.to_owned()));
    } else if place == 3 {
        names = daemon_names(daemon);
    }
    names.retain(|name| name.as_bytes().starts_with(typed));
    Some(names.into_iter().map(BString::from).collect())
}

/// The names of all containers and images.
fn daemon_names(daemon: &Daemon) -> Vec<String> {
    let all = ListOptions { all: true, ..ListOptions::default() };
    // What the daemon refuses cannot be offered.
    let containers = daemon.container_list(&all).unwrap_or_default();
    let images = daemon.image_list(&ImageListOptions::default()).unwrap_or_default();
    let containers = containers.into_iter().flat_map(|container| container.names);
    let mut names: Vec<String> = containers.map(|name| name.trim_start_matches('/').to_owned()).collect();
    // An image with several names is one image.
    names.extend(images.into_iter().filter_map(|image| image.repo_tags.into_iter().next()));
    names
}

impl Capas {
    /// A text in the language spoken.
    pub const fn say(&self, words: Words) -> &'static str {
        match self.language {
            Language::Es => words.es,
            Language::En => words.en,
        }
    }

    /// Writes to standard output; the status is 0.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn print(&self, text: &str) -> Done {
        self.proc.print(text).await.map(|()| 0)
    }

    /// Says on standard error why a verb could not do its work; the status is 1.
    ///
    /// # Errors
    /// None.
    pub async fn fail(&self, text: &str) -> Done {
        self.proc.eprint(format!("capas: {text}\n")).await;
        Ok(1)
    }

    /// Says that an image or container is not there.
    ///
    /// # Errors
    /// None.
    pub async fn missing(&self, name: &BString) -> Done {
        self.fail(&fill(self.say(NO_OBJECT), &[&name.to_str_lossy()])).await
    }

    /// The command line is wrong.
    async fn refuse(&self, text: &str) -> i32 {
        self.proc.eprint(format!("capas: {text}\n{}\n", self.say(SEE_HELP))).await;
        2
    }

    fn help(&self) -> String {
        let rows: Vec<Vec<String>> = VERBS
            .iter()
            .map(|verb| vec![format!("  {} {}", verb.name, verb.usage), self.say(verb.about).to_owned()])
            .collect();
        fill(self.say(HELP), &[&tabulate_with(&rows, 0, 3)])
    }

    /// Rows under their titles, as wide as the terminal at most: the last cells are cut.
    pub fn table(&self, rows: &[Vec<String>]) -> String {
        let width = self.proc.tty_of(1).map(|tty| usize::from(self.proc.win_size(tty).cols));
        let text = tabulate_with(rows, 0, 3);
        let Some(width) = width else { return text };
        text.lines().map(|line| cut(line, width) + "\n").collect()
    }
}

/// How a layer is called: its digest, or what it is.
fn layer_name(capas: &Capas, layer: &StackLayer) -> String {
    match layer.role {
        LayerRole::Image { diff_id, .. } => diff_id.short(),
        LayerRole::Init => "init".to_owned(),
        LayerRole::Writable => capas.say(Words { es: "escribible", en: "writable" }).to_owned(),
    }
}

/// The step that made a layer.
fn step(capas: &Capas, layer: &StackLayer) -> String {
    match layer.role {
        LayerRole::Image { .. } => {
            let step = instruction_of(&layer.created_by);
            step.keyword.split_whitespace().chain(step.rest.split_whitespace()).collect::<Vec<_>>().join(" ")
        }
        LayerRole::Init => capas
            .say(Words { es: "puntos de montaje que pone Docker", en: "mount points that Docker makes" })
            .to_owned(),
        LayerRole::Writable => {
            capas.say(Words { es: "lo que el contenedor escribe", en: "what the container writes" }).to_owned()
        }
    }
}

fn size(bytes: u64) -> String {
    human_size3(bytes)
}

/// Puts `values` in place of each `{}`.
fn fill(text: &str, values: &[&str]) -> String {
    let mut parts = text.split("{}");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for (at, part) in parts.enumerate() {
        out.push_str(values.get(at).copied().unwrap_or_default());
        out.push_str(part);
    }
    out
}

fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.trim_end().to_owned();
    }
    let mut out: String = line.chars().take(width.saturating_sub(1)).collect();
    out.push('…');
    out
}

fn language(tag: &[u8]) -> Option<Language> {
    match tag.get(..2)? {
        b"es" => Some(Language::Es),
        b"en" => Some(Language::En),
        _ => None,
    }
}

fn of_locale(proc: &Proc) -> Language {
    let mut variables = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter();
    let set = variables.find_map(|name| proc.getenv(name).filter(|value| !value.is_empty()));
    set.and_then(|value| language(&value)).unwrap_or(Language::Es)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_without_a_language_is_spanish() {
        assert_eq!(language(b"en_US.UTF-8"), Some(Language::En));
        assert_eq!(language(b"C.UTF-8"), None);
        assert_eq!(language(b""), None);
    }

    #[test]
    fn verbs_have_a_text_in_both_languages_and_a_name_of_their_own() {
        for (at, verb) in VERBS.iter().enumerate() {
            assert!(!verb.about.es.is_empty() && !verb.about.en.is_empty());
            assert!(VERBS.iter().skip(at + 1).all(|other| other.name != verb.name));
        }
    }

    #[test]
    fn long_lines_are_cut_and_texts_filled() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abc  ", 9), "abc");
        assert_eq!(fill("a {} b {}", &["1"]), "a 1 b ");
    }
}
