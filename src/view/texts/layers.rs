//! The words of what is inside layers, and of the picture's own controls.

use super::{Count, Language, fill};
use crate::docker::daemon::api::layers::{LayerRole, StackLayer};
use crate::docker::image::step::instruction_of;
use crate::os::fs::stack::{Deed, Fate, Holding};
use crate::view::deeds::{How, Touch};
use crate::view::inside::{Mark, Tally};
use crate::view::preview::{Body, Preview};

macro_rules! layers_texts {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)+) => {
        /// What is said about layers and their files.
        #[derive(Debug)]
        pub struct LayersTexts {
            $($(#[$doc])* pub $name: $type,)+
        }
    };
}

layers_texts! {
    /// Back to the picture.
    back: &'static str,
    /// Names the list of layers.
    stack: &'static str,
    /// Names the tree of files; `{0}` is of what.
    files: &'static str,
    /// What is looked at is gone.
    gone: &'static str,
    /// Lens: only the layer.
    only: &'static str,
    /// Lens: everything that is seen.
    merged: &'static str,
    /// Lens: a comparison.
    compare: &'static str,
    /// Names the switch of lenses.
    lens: &'static str,
    /// The layer to compare with.
    compare_with: &'static str,
    /// Looks for files.
    filter: &'static str,
    /// A layer without a change to files.
    nothing: &'static str,
    /// No file fits what is looked for.
    no_match: &'static str,
    /// So many more in a folder.
    more: &'static str,
    /// Marks, in words.
    added: &'static str,
    /// Marks, in words.
    changed: &'static str,
    /// Marks, in words.
    hidden: &'static str,
    /// Marks, in words.
    opaque: &'static str,
    /// `{0}` marked files in a closed folder.
    marked: Count,
    /// Which layer a file is from; `{0}` is its number.
    from_layer: &'static str,
    /// The writable layer.
    writable: &'static str,
    /// What made it.
    writable_step: &'static str,
    /// The init layer.
    init: &'static str,
    /// What made it.
    init_step: &'static str,
    /// A layer and its number.
    layer: &'static str,
    /// Which layers have a path.
    holders: &'static str,
    /// It is seen.
    wins: &'static str,
    /// It is seen with others.
    merges: &'static str,
    /// `{0}` hides it.
    hidden_by: &'static str,
    /// It hides what is below.
    hides: &'static str,
    /// Deeds.
    has_file: &'static str,
    /// Deeds.
    has_folder: &'static str,
    /// Deeds; `{0}` is where.
    has_link: &'static str,
    /// Deeds; `{0}` is the path.
    whiteout: &'static str,
    /// Deeds; `{0}` is the path.
    opaque_at: &'static str,
    /// Deeds; `{0}` is the path.
    replaced: &'static str,
    /// The content of a file.
    content: &'static str,
    /// The file is empty.
    empty: &'static str,
    /// The text goes on.
    cut: &'static str,
    /// `{0}` of the bytes are made up when they are read.
    bulk: &'static str,
    /// The first bytes of a file that is no text.
    bytes: &'static str,
    /// A link to `{0}`.
    link: &'static str,
    /// A folder.
    folder: &'static str,
    /// A device, pipe or socket.
    special: &'static str,
    /// Opens the files of `{0}`.
    look_inside: &'static str,
    /// The path is a mount: `{0}` is what.
    mounted: &'static str,
    /// Nothing is chosen.
    choose: &'static str,
    /// Closes what is told of a file.
    close: &'static str,
    /// Registries, and what they have.
    registry: &'static str,
    /// An image of a registry that is also here.
    registry_here: &'static str,
    /// The host under the layers.
    host: &'static str,
    /// `{0}` mount a volume.
    mounted_by: &'static str,
    /// Looks for trees of the picture.
    find: &'static str,
    /// Nothing of the picture fits.
    found_none: &'static str,
    /// Names the zoom.
    zoom: &'static str,
    /// Larger.
    zoom_in: &'static str,
    /// Smaller.
    zoom_out: &'static str,
    /// Folds the layers of `{0}`.
    fold: &'static str,
    /// Unfolds the layers of `{0}`.
    unfold: &'static str,
    /// A file was made.
    created: &'static str,
    /// A file was copied up from layer `{0}`, `{1}` bytes.
    copied_up: &'static str,
    /// A file of layer `{0}` was hidden.
    whited_out: &'static str,
}

static SPANISH: LayersTexts = LayersTexts {
    back: "Dibujo",
    stack: "Capas, la de arriba primero",
    files: "Ficheros de {0}",
    gone: "Ya no existe.",
    only: "Solo esta capa",
    merged: "Todo lo que se ve",
    compare: "Comparar",
    lens: "Qué ficheros",
    compare_with: "Comparar con",
    filter: "Buscar ruta",
    nothing: "No cambia ningún fichero.",
    no_match: "Ninguna ruta coincide.",
    more: "… {0} más",
    added: "añadido",
    changed: "cambiado",
    hidden: "tapado por un whiteout",
    opaque: "carpeta opaca: tapa la de abajo",
    marked: Count { one: "1 cambio dentro", many: "{0} cambios dentro" },
    from_layer: "de la capa {0}",
    writable: "Capa de escritura",
    writable_step: "Lo que escribe el contenedor",
    init: "Capa init",
    init_step: "Puntos de montaje que pone Docker",
    layer: "Capa {0}",
    holders: "Qué capas tienen esta ruta",
    wins: "se ve",
    merges: "se ve, mezclada",
    hidden_by: "tapado por la capa {0}",
    hides: "tapa lo de abajo",
    has_file: "fichero de {0}",
    has_folder: "carpeta",
    has_link: "enlace a {0}",
    whiteout: "whiteout de {0}",
    opaque_at: "carpeta opaca {0}",
    replaced: "{0} ya no es una carpeta",
    content: "Contenido",
    empty: "Fichero vacío",
    cut: "… sigue",
    bulk: "Fichero voluminoso: {0} de {1} se generan cuando alguien los lee.",
    bytes: "Los primeros bytes",
    link: "Enlace simbólico a {0}",
    folder: "Carpeta",
    special: "Fichero especial",
    look_inside: "Ver los ficheros de {0}",
    mounted: "Es un montaje ({0}): lo que se ve ahí no está en ninguna capa.",
    choose: "Elige un fichero para ver qué capa lo pone y qué contiene.",
    close: "Cerrar",
    registry: "Registro",
    registry_here: "también aquí",
    host: "En tu ordenador",
    mounted_by: "montado por {0}",
    find: "Buscar en el dibujo",
    found_none: "Nada coincide.",
    zoom: "Tamaño del dibujo",
    zoom_in: "Más cerca",
    zoom_out: "Más lejos",
    fold: "Plegar las capas de {0}",
    unfold: "Desplegar las capas de {0}",
    created: "creado",
    copied_up: "copiado desde la capa {0} ({1})",
    whited_out: "tapado: sigue en la capa {0}",
};

static ENGLISH: LayersTexts = LayersTexts {
    back: "Drawing",
    stack: "Layers, the uppermost first",
    files: "Files of {0}",
    gone: "It is gone.",
    only: "Only this layer",
    merged: "All that is seen",
    compare: "Compare",
    lens: "Which files",
    compare_with: "Compare with",
    filter: "Find a path",
    nothing: "It changes no file.",
    no_match: "No path fits.",
    more: "… {0} more",
    added: "added",
    changed: "changed",
    hidden: "hidden by a whiteout",
    opaque: "opaque folder: hides the one below",
    marked: Count { one: "1 change inside", many: "{0} changes inside" },
    from_layer: "from layer {0}",
    writable: "Writable layer",
    writable_step: "What the container writes",
    init: "Init layer",
    init_step: "Mount points that Docker makes",
    layer: "Layer {0}",
    holders: "Which layers have this path",
    wins: "seen",
    merges: "seen, merged",
    hidden_by: "hidden by layer {0}",
    hides: "hides what is below",
    has_file: "file of {0}",
    has_folder: "folder",
    has_link: "link to {0}",
    whiteout: "whiteout of {0}",
    opaque_at: "opaque folder {0}",
    replaced: "{0} is no folder any more",
    content: "Content",
    empty: "Empty file",
    cut: "… goes on",
    bulk: "Bulky file: {0} of {1} are generated when somebody reads them.",
    bytes: "The first bytes",
    link: "Symbolic link to {0}",
    folder: "Folder",
    special: "Special file",
    look_inside: "See the files of {0}",
    mounted: "It is a mount ({0}): what is seen there is in no layer.",
    choose: "Choose a file to see which layer supplies it and what it holds.",
    close: "Close",
    registry: "Registry",
    registry_here: "also here",
    host: "On your computer",
    mounted_by: "mounted by {0}",
    find: "Find in the drawing",
    found_none: "Nothing fits.",
    zoom: "Size of the drawing",
    zoom_in: "Closer",
    zoom_out: "Farther",
    fold: "Fold the layers of {0}",
    unfold: "Unfold the layers of {0}",
    created: "created",
    copied_up: "copied up from layer {0} ({1})",
    whited_out: "hidden: still in layer {0}",
};

impl Language {
    /// The texts of layers.
    pub const fn layers(self) -> &'static LayersTexts {
        match self {
            Self::Spanish => &SPANISH,
            Self::English => &ENGLISH,
        }
    }
}

impl LayersTexts {
    /// What became of a file, in words; empty for nothing.
    pub const fn mark(&self, mark: Mark) -> &'static str {
        match mark {
            Mark::Same => "",
            Mark::Added => self.added,
            Mark::Changed => self.changed,
            Mark::Hidden => self.hidden,
            Mark::Opaque => self.opaque,
        }
    }

    /// How a layer is called that has the number `at + 1`.
    pub fn layer_name(&self, layer: &StackLayer, at: usize) -> String {
        match layer.role {
            LayerRole::Image { .. } => fill(self.layer, &[&(at + 1).to_string()]),
            LayerRole::Init => self.init.to_owned(),
            LayerRole::Writable => self.writable.to_owned(),
        }
    }

    /// What made a layer: keyword and the rest.
    pub fn step(&self, layer: &StackLayer) -> (String, String) {
        match layer.role {
            LayerRole::Image { .. } => {
                let step = instruction_of(&layer.created_by);
                (step.keyword, step.rest)
            }
            LayerRole::Init => (String::new(), self.init_step.to_owned()),
            LayerRole::Writable => (String::new(), self.writable_step.to_owned()),
        }
    }

    /// `+3 ~1 −1`; empty when nothing changed.
    pub fn tally(tally: Tally) -> String {
        let parts = [("+", tally.added), ("~", tally.changed), ("−", tally.hidden)];
        let parts = parts.iter().filter(|(_, count)| *count > 0).map(|(sign, count)| format!("{sign}{count}"));
        parts.collect::<Vec<_>>().join(" ")
    }

    /// A tally in words.
    pub fn tally_words(&self, tally: Tally) -> String {
        let parts = [(tally.added, self.added), (tally.changed, self.changed), (tally.hidden, self.hidden)];
        let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// What a layer does to a path.
    pub fn deed(&self, holding: &Holding) -> String {
        let path = |path: &[u8]| format!("/{}", String::from_utf8_lossy(path));
        match &holding.deed {
            Deed::Put(entry) => match &Preview::of(entry).body {
                Body::Folder => self.has_folder.to_owned(),
                Body::Link(to) => fill(self.has_link, &[&to.to_string()]),
                Body::Special => self.special.to_owned(),
                _ => fill(self.has_file, &[&crate::base::size::human_size3(entry.content.size_bytes())]),
            },
            Deed::HardLink(to) => fill(self.has_link, &[&path(to)]),
            Deed::Whiteout(at) => fill(self.whiteout, &[&path(at)]),
            Deed::Opaque(at) => fill(self.opaque_at, &[&path(at)]),
            Deed::Replaced(at) => fill(self.replaced, &[&path(at)]),
        }
    }

    /// What became of a file of a container: its path, and what.
    pub fn touch(&self, touch: &Touch) -> String {
        let from = touch.from.as_deref().unwrap_or(self.init);
        let what = match touch.how {
            How::Created => self.created.to_owned(),
            How::CopiedUp(bytes) => fill(self.copied_up, &[from, &crate::base::size::human_size3(bytes)]),
            How::WhitedOut => fill(self.whited_out, &[from]),
            How::MadeOpaque => self.opaque.to_owned(),
        };
        format!("{}: {what}", touch.path)
    }

    /// What becomes of it.
    pub fn fate(&self, fate: Fate) -> String {
        match fate {
            Fate::Wins => self.wins.to_owned(),
            Fate::Merged => self.merges.to_owned(),
            Fate::HiddenBy(layer) => fill(self.hidden_by, &[&(layer + 1).to_string()]),
            Fate::Hides => self.hides.to_owned(),
        }
    }
}
