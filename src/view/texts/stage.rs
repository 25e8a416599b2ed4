//! The words of the stage beside the terminal.

use super::Language;

/// What the stage's tabs say.
#[derive(Debug)]
pub struct StageTexts {
    /// Names the stage.
    pub stage: &'static str,
    /// Images, layers, containers.
    pub layers: &'static str,
    /// Pages of published ports.
    pub browser: &'static str,
    /// The host's files.
    pub files: &'static str,
}

impl Language {
    /// The texts of the stage.
    pub const fn stage(self) -> &'static StageTexts {
        match self {
            Self::Spanish => &SPANISH,
            Self::English => &ENGLISH,
        }
    }
}

static SPANISH: StageTexts =
    StageTexts { stage: "Vistas junto a la terminal", layers: "Capas", browser: "Navegador", files: "Ficheros" };

static ENGLISH: StageTexts =
    StageTexts { stage: "Views beside the terminal", layers: "Layers", browser: "Browser", files: "Files" };
