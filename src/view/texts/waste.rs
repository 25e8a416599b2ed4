//! The words of what an image stores and hides, and of what would make it smaller.

use super::{Count, Language};
use crate::docker::build::remedy::Cause;
use crate::docker::build::waste::How;

/// What is said about waste.
#[derive(Debug)]
pub struct WasteTexts {
    /// Names the lens and what it shows.
    pub waste: &'static str,
    /// How many percent of the stored bytes are seen.
    pub seen: &'static str,
    /// `{0}` are stored, `{1}` of them hidden.
    pub sums: &'static str,
    /// Nothing is hidden.
    pub none: &'static str,
    /// Names the list of hidden files.
    pub files: &'static str,
    /// So many more files, which have `{0}` bytes.
    pub more: Count,
    /// Layer `{0}` stores the file.
    pub holds: &'static str,
    how: fn(How) -> &'static str,
    /// Names what would make the image smaller.
    pub remedies: &'static str,
    /// The image was made by the Dockerfile `{0}`.
    pub made_by: &'static str,
    /// No Dockerfile of the host makes the image.
    pub no_recipe: &'static str,
    /// Looks for remedies.
    pub look: &'static str,
    /// Trials are under way.
    pub looking: &'static str,
    /// The trial failed.
    pub failed: &'static str,
    /// No known change makes it smaller.
    pub no_remedy: &'static str,
    cause: fn(Cause) -> &'static str,
    /// A saving: `{0}` less, from `{1}` to `{2}`.
    pub saving: &'static str,
    /// Names the changed lines.
    pub lines: &'static str,
    /// A line that goes.
    pub removed: &'static str,
    /// A line that comes.
    pub added: &'static str,
    /// Writes the remedy into the Dockerfile and opens it.
    pub apply: &'static str,
    /// It was written; `{0}` builds it.
    pub applied: &'static str,
}

impl WasteTexts {
    /// What a layer does to the file: `{0}` is its number.
    pub fn how(&self, how: How) -> &'static str {
        (self.how)(how)
    }

    /// What a remedy is against.
    pub fn cause(&self, cause: Cause) -> &'static str {
        (self.cause)(cause)
    }
}

impl Language {
    /// The texts of waste.
    pub const fn waste(self) -> &'static WasteTexts {
        match self {
            Self::Spanish => &SPANISH,
            Self::English => &ENGLISH,
        }
    }
}

static SPANISH: WasteTexts = WasteTexts {
    waste: "Lo que sobra",
    seen: "de los bytes guardados se ven",
    sums: "La imagen guarda {0}; {1} están tapados por capas de encima y viajan igual en cada push y cada pull.",
    none: "Todo lo que guarda se ve: ninguna capa tapa ficheros de otra.",
    files: "Ficheros guardados y tapados",
    more: Count { one: "… y 1 fichero más", many: "… y {0} ficheros más" },
    holds: "lo guarda la capa {0}",
    how: |how| match how {
        How::Deleted => "lo borra la capa {0}",
        How::Replaced => "lo cambia la capa {0}",
        How::Copied => "la capa {0} lo copia igual, con otro dueño o permisos",
    },
    remedies: "Para adelgazarla",
    made_by: "La hizo {0}.",
    no_recipe: "Ningún Dockerfile de tu carpeta construye ahora esta misma imagen: se ha cambiado, o la imagen se descargó.",
    look: "Probar cambios",
    looking: "Construyendo cada cambio aparte…",
    failed: "La construcción de prueba ha fallado.",
    no_remedy: "Ningún cambio conocido la hace más pequeña.",
    cause: |cause| match cause {
        Cause::PackageCache => "Que la caché del gestor de paquetes no se quede en la capa",
        Cause::AddedThenDeleted => "Borrar en el mismo paso que crea",
        Cause::ChownCopy => "Dar el dueño al copiar, no después",
    },
    saving: "{0} menos: de {1} a {2}",
    lines: "Líneas que cambian",
    removed: "se quita:",
    added: "se pone:",
    apply: "Escribirlo en el Dockerfile y abrirlo",
    applied: "Escrito. Constrúyela otra vez: {0}",
};

static ENGLISH: WasteTexts = WasteTexts {
    waste: "Waste",
    seen: "of the stored bytes are seen",
    sums: "The image stores {0}; {1} of them are hidden by layers above, and travel with every push and pull.",
    none: "All that it stores is seen: no layer hides files of another.",
    files: "Files that are stored and hidden",
    more: Count { one: "… and 1 more file", many: "… and {0} more files" },
    holds: "layer {0} stores it",
    how: |how| match how {
        How::Deleted => "layer {0} deletes it",
        How::Replaced => "layer {0} changes it",
        How::Copied => "layer {0} copies it as it is, with another owner or mode",
    },
    remedies: "To make it smaller",
    made_by: "{0} made it.",
    no_recipe: "No Dockerfile in your folder makes this very image now: it was changed, or the image was pulled.",
    look: "Try changes",
    looking: "Building each change aside…",
    failed: "The trial build failed.",
    no_remedy: "No known change makes it smaller.",
    cause: |cause| match cause {
        Cause::PackageCache => "Keep the package manager's cache out of the layer",
        Cause::AddedThenDeleted => "Delete in the step that creates",
        Cause::ChownCopy => "Give the owner while copying, not afterwards",
    },
    saving: "{0} less: from {1} to {2}",
    lines: "Lines that change",
    removed: "goes:",
    added: "comes:",
    apply: "Write it into the Dockerfile and open it",
    applied: "Written. Build it again: {0}",
};
