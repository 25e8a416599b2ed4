//! Measures: numbers and names that are read off a machine. They stand in goals (`layers of mi-web <= 3`), as answers to
//! write down (`answer ~/capas.txt = layers of postgres:11`), in questions and as what is to be beaten.
//!
//! | | |
//! |---|---|
//! | `containers [running\|stopped\|created\|paused] [of IMAGE]` | how many containers |
//! | `images`, `dangling images`, `volumes`, `networks` | how many (networks: those that the student made) |
//! | `layers`, `layers of IMAGE` | layers that the images have, each counted once |
//! | `steps of IMAGE`, `empty steps of IMAGE` | lines of its history, and those without a layer |
//! | `shared layers of IMAGE and IMAGE` | layers that both have |
//! | `copies of PATH in IMAGE` | layers that hold a file at the path |
//! | `changes of CONTAINER` | lines of `docker diff` |
//! | `disk` | bytes of all images' layers, each counted once |
//! | `size of IMAGE`, `waste of IMAGE` | its bytes, and those of them that no container sees |
//! | `written by CONTAINER` | bytes in its writable layer |
//! | `id of IMAGE`, `top layer of IMAGE`, `layer N of IMAGE` | digests: of its config, of layers (1 is the lowest) |
//! | `address of CONTAINER`, `image of CONTAINER`, `command of IMAGE` | as `docker inspect` tells |

use super::say::Say;
use super::scene::Scene;
use super::words::Words;
use crate::base::size::human_size3;

/// What can be read off a machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Measure {
    /// Containers, in a state, of an image.
    Containers { state: Option<String>, image: Option<String> },
    /// Images.
    Images,
    /// Images without a name.
    Dangling,
    /// Volumes.
    Volumes,
    /// Networks that the student made.
    Networks,
    /// Layers of all images or of one.
    Layers(Option<String>),
    /// Lines of a history; only those without a layer.
    Steps { image: String, empty: bool },
    /// Layers that two images have.
    Shared(String, String),
    /// Layers that hold a file at a path.
    Copies { path: String, image: String },
    /// Lines of `docker diff`.
    Changes(String),
    /// Bytes of all layers.
    Disk,
    /// Bytes of an image.
    Size(String),
    /// Bytes that no container sees.
    Waste(String),
    /// Bytes in a writable layer.
    Written(String),
    /// An image's id.
    Id(String),
    /// The digest of a layer, counted from the lowest, or of the uppermost.
    Layer(Option<usize>, String),
    /// A container's address.
    Address(String),
    /// The name of a container's image.
    ImageOf(String),
    /// What an image's containers run.
    Command(String),
}

/// What was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// How many.
    Count(u64),
    /// Bytes.
    Bytes(u64),
    /// A digest in hexadecimal digits.
    Hex(String),
    /// Other text.
    Text(String),
    /// Whether something is so.
    Truth(bool),
}

/// What a line of measures may begin with.
const FITTING: &str = "containers, images, dangling images, volumes, networks, layers, steps of, empty steps of, shared \
                       layers of, copies of, changes of, disk, size of, waste of, written by, id of, top layer of, \
                       layer N of, address of, image of, command of";

/// Words that a measure begins with.
pub const FIRST_WORDS: [&str; 20] = [
    "containers",
    "images",
    "dangling",
    "volumes",
    "networks",
    "layers",
    "steps",
    "empty",
    "shared",
    "copies",
    "changes",
    "disk",
    "size",
    "waste",
    "written",
    "id",
    "top",
    "layer",
    "address",
    "command",
];

const STATES: [&str; 4] = ["running", "stopped", "created", "paused"];

fn image_word() -> Say {
    Say::new(["el nombre de una imagen", "the name of an image"])
}

fn container_word() -> Say {
    Say::new(["el nombre de un contenedor", "the name of a container"])
}

impl Measure {
    /// Reads a measure.
    ///
    /// # Errors
    /// Words that are none.
    pub fn parse(words: &mut Words) -> Result<Self, Say> {
        let unknown = words.unexpected(FITTING);
        let first = words.next().ok_or(unknown.clone())?;
        let of_image = |words: &mut Words| {
            words.expect("of")?;
            words.need(image_word())
        };
        Ok(match first.as_str() {
            "containers" => {
                let state = STATES.iter().find(|state| words.take(state)).map(|state| (*state).to_owned());
                let image = if words.take("of") { Some(words.need(image_word())?) } else { None };
                Self::Containers { state, image }
            }
            "images" => Self::Images,
            "dangling" => {
                words.expect("images")?;
                Self::Dangling
            }
            "volumes" => Self::Volumes,
            "networks" => Self::Networks,
            "layers" => Self::Layers(if words.take("of") { Some(words.need(image_word())?) } else { None }),
            "steps" => Self::Steps { image: of_image(words)?, empty: false },
            "empty" => {
                words.expect("steps")?;
                Self::Steps { image: of_image(words)?, empty: true }
            }
            "shared" => {
                words.expect("layers")?;
                let one = of_image(words)?;
                words.expect("and")?;
                Self::Shared(one, words.need(image_word())?)
            }
            "copies" => {
                words.expect("of")?;
                let path = words.need(Say::new(["una ruta", "a path"]))?;
                words.expect("in")?;
                Self::Copies { path, image: words.need(image_word())? }
            }
            "changes" => {
                words.expect("of")?;
                Self::Changes(words.need(container_word())?)
            }
            "disk" => Self::Disk,
            "size" => Self::Size(of_image(words)?),
            "waste" => Self::Waste(of_image(words)?),
            "written" => {
                words.expect("by")?;
                Self::Written(words.need(container_word())?)
            }
            "id" => Self::Id(of_image(words)?),
            "top" => {
                words.expect("layer")?;
                Self::Layer(None, of_image(words)?)
            }
            "layer" => {
                let number = words.peek().and_then(|word| word.parse().ok()).ok_or_else(|| words.unexpected("N"))?;
                drop(words.next());
                Self::Layer(Some(number), of_image(words)?)
            }
            "address" => {
                words.expect("of")?;
                Self::Address(words.need(container_word())?)
            }
            "image" => {
                words.expect("of")?;
                Self::ImageOf(words.need(container_word())?)
            }
            "command" => Self::Command(of_image(words)?),
            _ => return Err(unknown),
        })
    }

    /// Reads it off a machine; `None` where there is nothing to read it from.
    pub fn of(&self, scene: &Scene<'_>) -> Option<Value> {
        let count = |n: usize| Some(Value::Count(n as u64));
        match self {
            Self::Containers { state, image } => {
                let id = image.as_ref().map(|image| scene.image(image));
                let fits = |c: &&crate::docker::daemon::api::snapshot::ContainerView| {
                    state.as_ref().is_none_or(|state| is_in_state(c.state, state))
                        && id.is_none_or(|id| id == Some(c.image_id))
                };
                count(scene.containers().iter().filter(fits).count())
            }
            Self::Images => count(scene.snapshot().images.iter().filter(|image| !image.tags.is_empty()).count()),
            Self::Dangling => count(scene.snapshot().images.iter().filter(|image| image.tags.is_empty()).count()),
            Self::Volumes => count(scene.snapshot().volumes.len()),
            Self::Networks => {
                let own = scene.snapshot().networks.iter();
                count(own.filter(|network| !["bridge", "host", "none"].contains(&network.name.as_str())).count())
            }
            Self::Layers(None) => count(scene.layer_count()),
            Self::Layers(Some(image)) => count(scene.stack(image)?.layers.len()),
            Self::Steps { image, empty } => {
                let history = scene.stack(image)?.config.history;
                count(history.iter().filter(|line| !empty || line.empty_layer).count())
            }
            Self::Shared(one, other) => {
                let (one, other) = (scene.stack(one)?.chains(), scene.stack(other)?.chains());
                count(one.iter().zip(&other).take_while(|(a, b)| a == b).count())
            }
            Self::Copies { path, image } => count(scene.stack(image)?.copies(path)),
            Self::Changes(container) => count(scene.container(container)?.changed_files),
            Self::Disk => Some(Value::Bytes(scene.disk_bytes())),
            Self::Size(image) => scene.image_size_bytes(image).map(Value::Bytes),
            Self::Waste(image) => Some(Value::Bytes(scene.stack(image)?.hidden_bytes())),
            Self::Written(container) => Some(Value::Bytes(scene.container(container)?.size_bytes)),
            Self::Id(image) => scene.image(image).map(|id| Value::Hex(id.0.hex())),
            Self::Layer(number, image) => {
                let diff_ids = scene.stack(image)?.config.diff_ids;
                let at = number.unwrap_or(diff_ids.len()).checked_sub(1)?;
                diff_ids.get(at).map(|diff_id| Value::Hex(diff_id.0.hex()))
            }
            Self::Address(container) => {
                let (_, address) = scene.container(container)?.networks.first()?;
                Some(Value::Text(address.to_string()))
            }
            Self::ImageOf(container) => Some(Value::Text(scene.container(container)?.image.clone())),
            Self::Command(image) => {
                let config = scene.stack(image)?.config.config;
                let words: Vec<String> = config.entrypoint.into_iter().chain(config.cmd).flatten().collect();
                Some(Value::Text(words.join(" ")))
            }
        }
    }

    /// What it is, as the subject of a sentence.
    pub fn tell(&self) -> Say {
        let with = |texts, name: &String| Say::new(texts).text(name);
        match self {
            Self::Containers { state, image } => {
                let subject = match state.as_deref() {
                    None => Say::new(["contenedores", "containers"]),
                    Some("running") => Say::new(["contenedores en marcha", "running containers"]),
                    Some("paused") => Say::new(["contenedores en pausa", "paused containers"]),
                    Some("created") => Say::new(["contenedores creados y sin arrancar", "containers never started"]),
                    Some(_) => Say::new(["contenedores parados", "stopped containers"]),
                };
                match image {
                    Some(image) => Say::new(["{0} de `{1}`", "{0} of `{1}`"]).say(subject).text(image),
                    None => subject,
                }
            }
            Self::Images => Say::new(["imágenes con nombre", "images with a name"]),
            Self::Dangling => Say::new(["imágenes sin nombre", "images without a name"]),
            Self::Volumes => Say::new(["volúmenes", "volumes"]),
            Self::Networks => Say::new(["redes propias", "networks of your own"]),
            Self::Layers(None) => Say::new(["capas en tu equipo", "layers on your computer"]),
            Self::Layers(Some(image)) => with(["capas de `{0}`", "layers of `{0}`"], image),
            Self::Steps { image, empty: false } => {
                with(["líneas en el historial de `{0}`", "lines in the history of `{0}`"], image)
            }
            Self::Steps { image, empty: true } => with(
                ["líneas sin capa en el historial de `{0}`", "lines without a layer in the history of `{0}`"],
                image,
            ),
            Self::Shared(one, other) => {
                with(["capas que comparten `{0}` y `{1}`", "layers that `{0}` and `{1}` share"], one).text(other)
            }
            Self::Copies { path, image } => {
                with(["capas de `{1}` que tienen `{0}`", "layers of `{1}` that have `{0}`"], path).text(image)
            }
            Self::Changes(container) => with(["cambios en `{0}`", "changes in `{0}`"], container),
            Self::Disk => Say::new(["espacio que ocupan las capas", "space that the layers take"]),
            Self::Size(image) => with(["tamaño de `{0}`", "size of `{0}`"], image),
            Self::Waste(image) => with(["bytes de `{0}` que nadie ve", "bytes of `{0}` that nobody sees"], image),
            Self::Written(container) => {
                with(["bytes en la capa de escritura de `{0}`", "bytes in the writable layer of `{0}`"], container)
            }
            Self::Id(image) => with(["id de `{0}`", "id of `{0}`"], image),
            Self::Layer(None, image) => {
                with(["digest de la última capa de `{0}`", "digest of the uppermost layer of `{0}`"], image)
            }
            Self::Layer(Some(number), image) => {
                with(["digest de la capa {1} de `{0}`", "digest of layer {1} of `{0}`"], image).text(number)
            }
            Self::Address(container) => with(["dirección IP de `{0}`", "IP address of `{0}`"], container),
            Self::ImageOf(container) => with(["imagen de `{0}`", "image of `{0}`"], container),
            Self::Command(image) => with(["orden de `{0}`", "command of `{0}`"], image),
        }
    }
}

/// Whether a container's state is what an exercise calls so: `stopped` is one that ran and no longer does.
pub fn is_in_state(state: &str, wanted: &str) -> bool {
    match wanted {
        "stopped" => matches!(state, "exited" | "dead"),
        "running" => matches!(state, "running" | "restarting"),
        other => state == other,
    }
}

impl Value {
    /// The number in it.
    pub const fn number(&self) -> Option<u64> {
        match self {
            Self::Count(n) | Self::Bytes(n) => Some(*n),
            _ => None,
        }
    }

    /// What came in addition from `before` to `self`.
    pub fn minus(&self, before: &Self) -> Self {
        match (self, before) {
            (Self::Count(after), Self::Count(before)) => Self::Count(after.saturating_sub(*before)),
            (Self::Bytes(after), Self::Bytes(before)) => Self::Bytes(after.saturating_sub(*before)),
            _ => self.clone(),
        }
    }

    /// As one would say it.
    pub fn tell(&self) -> Say {
        match self {
            Self::Count(n) => Say::new(["{0}"; 2]).text(n),
            Self::Bytes(n) => Say::new(["{0}"; 2]).text(human_size3(*n)),
            Self::Hex(digits) => Say::new(["{0}"; 2]).text(digits.get(..12).unwrap_or(digits)),
            Self::Text(text) => Say::new(["{0}"; 2]).text(text),
            Self::Truth(true) => Say::new(["sí", "yes"]),
            Self::Truth(false) => Say::new(["no", "no"]),
        }
    }

    /// Whether somebody who writes `text` means this: sizes as Docker rounds them, digests from 6 digits on.
    pub fn is_meant_by(&self, text: &str) -> bool {
        let text = text.trim().trim_matches(['"', '\'', '`']);
        match self {
            Self::Count(n) => text.parse() == Ok(*n),
            Self::Bytes(n) => {
                let text = text.replace([' ', '\u{a0}'], "").replace(',', ".");
                text == n.to_string() || text.eq_ignore_ascii_case(&human_size3(*n)) || is_about(*n, &text)
            }
            Self::Hex(digits) => {
                let text = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
                text.len() >= 6 && digits.starts_with(&text)
            }
            Self::Text(own) => own == text,
            Self::Truth(so) => {
                let yes = ["sí", "si", "yes", "true"].iter().any(|word| text.eq_ignore_ascii_case(word));
                let no = ["no", "false"].iter().any(|word| text.eq_ignore_ascii_case(word));
                if *so { yes } else { no }
            }
        }
    }
}

/// Whether a size with a unit is that many bytes, but for the last digit that is written.
fn is_about(bytes: u64, text: &str) -> bool {
    let Some((number, scale, step)) = split_size(text) else { return false };
    #[expect(clippy::cast_precision_loss, reason = "sizes are compared with three digits")]
    let bytes = bytes as f64;
    (bytes - number * scale).abs() <= step * scale * 0.51
}

/// The number, its unit in bytes, and what its last digit is worth.
fn split_size(text: &str) -> Option<(f64, f64, f64)> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at_checked(at)?;
    let scale = match unit.to_ascii_lowercase().as_str() {
        "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        _ => return None,
    };
    let step = number.split_once('.').map_or(1.0, |(_, decimals)| decimals.chars().fold(1.0, |step, _| step / 10.0));
    Some((number.parse().ok()?, scale, step))
}

/// A number as it stands in a goal: `3`, `12.5MB`.
///
/// # Errors
/// No number.
pub fn number(word: &str) -> Result<u64, Say> {
    let size = || {
        let (number, scale, _) = split_size(word)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size is no fraction of a byte")]
        Some((number * scale) as u64)
    };
    word.parse().ok().or_else(size).ok_or_else(|| {
        Say::new(["`{0}` no es un número (`3`, `12.5MB`)", "`{0}` is no number (`3`, `12.5MB`)"]).text(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_may_be_written_as_docker_rounds_them() {
        let size = Value::Bytes(72_776_452);
        assert!(["72.8MB", "72776452", "73 MB", "72,8 mb"].iter().all(|text| size.is_meant_by(text)));
        assert!(["72.5MB", "70MB", "72.8", "x"].iter().all(|text| !size.is_meant_by(text)));
    }

    #[test]
    fn digests_may_be_cut() {
        let id = Value::Hex("0c86027893f4ba8e".to_owned());
        assert!(id.is_meant_by("sha256:0c86027893f4") && !id.is_meant_by("0c86") && !id.is_meant_by("0c86027893f5"));
    }

    #[test]
    fn every_first_word_begins_a_measure() {
        for word in FIRST_WORDS {
            let rest = match word {
                "dangling" => "images",
                "empty" => "steps of a",
                "shared" => "layers of a and b",
                "copies" => "of /a in b",
                "written" => "by a",
                "top" => "layer of a",
                "layer" => "1 of a",
                "steps" | "changes" | "size" | "waste" | "id" | "address" | "command" => "of a",
                _ => "",
            };
            let mut words = Words::of(&format!("{word} {rest}")).unwrap();
            assert!(Measure::parse(&mut words).is_ok() && words.peek().is_none(), "{word}");
        }
    }
}
