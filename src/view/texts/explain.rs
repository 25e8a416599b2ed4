//! Sentences for why the daemon refused.

use super::{Language, fill};
use crate::view::explain::{Cause, Explained};

/// The sentences.
#[derive(Debug)]
pub struct ExplainTexts {
    /// Heading of an explained error.
    pub why: &'static str,
    /// Heading of its repairs.
    pub repairs: &'static str,
    /// What a click on one does; `{0}` is the command.
    pub insert: &'static str,
    causes: fn(Cause) -> &'static str,
}

impl ExplainTexts {
    /// The sentence for an error.
    pub fn sentence(&self, explained: &Explained) -> String {
        let parts: Vec<&str> = explained.parts.iter().map(String::as_str).collect();
        fill((self.causes)(explained.cause), &parts)
    }
}

impl Language {
    /// The sentences.
    pub const fn explain(self) -> &'static ExplainTexts {
        match self {
            Self::Spanish => &SPANISH,
            Self::English => &ENGLISH,
        }
    }
}

static SPANISH: ExplainTexts = ExplainTexts {
    why: "Por qué",
    repairs: "Para arreglarlo (se escribe en la terminal, sin ejecutarse)",
    insert: "Escribir en la terminal: {0}",
    causes: |cause| match cause {
        Cause::NameTaken => "Un nombre es de un solo contenedor, esté en marcha o no, y {0} ya es el de {1} ({2}).",
        Cause::NameFree => "Entonces otro contenedor se llamaba {0}; ahora el nombre está libre.",
        Cause::NoContainer => "No hay ningún contenedor con el nombre o id {0}, ni parado.",
        Cause::NoImage => "La imagen {0} no está en este equipo.",
        Cause::NoRepository => "El registro no tiene {0}, o es privada y hace falta docker login.",
        Cause::NoTag => "El repositorio existe, pero no la etiqueta: {0}.",
        Cause::NoVolume => "No hay ningún volumen con el nombre {0}.",
        Cause::NoNetwork => "No hay ninguna red con el nombre {0}.",
        Cause::StillRunning => "{0} está en marcha. Docker no borra un contenedor en marcha si no se le obliga.",
        Cause::NotRunning => "{0} no está en marcha: su proceso principal terminó y dentro no corre nada.",
        Cause::Paused => "{0} está en pausa: sus procesos están congelados.",
        Cause::ImageInUse => {
            "El contenedor {0} está sobre esta imagen: sus capas hacen falta mientras exista, aunque esté parado."
        }
        Cause::ImageHasChildren => "Hay otras imágenes sobre las capas de esta.",
        Cause::ImageHasNames => {
            "Esta imagen tiene más nombres. Quítalos de uno en uno, o usa -f para borrarla con todos."
        }
        Cause::PortTaken => "El puerto {0} del host ya lleva a {1}, y un puerto solo puede llevar a un sitio.",
        Cause::PortOfHost => "En el puerto {0} ya escucha un programa del host, y un puerto solo puede ser de uno.",
        Cause::PortFree => "Entonces el puerto {0} del host llevaba a otro contenedor; ahora está libre.",
        Cause::VolumeInUse => "El volumen {0} está montado en {1}, aunque esté parado.",
        Cause::NetworkInUse => "En la red {0} hay contenedores: {1}.",
        Cause::NoProgram => {
            "En los ficheros de la imagen no hay ningún programa {0}. Un contenedor solo tiene lo que trae su imagen."
        }
        Cause::NotExecutable => "{0} está en la imagen, pero no se puede ejecutar.",
        Cause::FlagBehindImage => {
            "Lo que va detrás de la imagen es para el contenedor: Docker ha tomado {0} por el programa que debe ejecutar. \
             Las opciones de docker van antes."
        }
        Cause::NoCommand => "Docker no tiene ninguna orden {0}.",
        Cause::NoFlag => "{1} no tiene la opción {0}.",
        Cause::NoSuchProgram => "Aquí no hay ningún programa {0}: ni es del shell ni hay un fichero así en el PATH.",
    },
};

static ENGLISH: ExplainTexts = ExplainTexts {
    why: "Why",
    repairs: "To repair it (it is typed into the terminal, not run)",
    insert: "Type into the terminal: {0}",
    causes: |cause| match cause {
        Cause::NameTaken => {
            "A name belongs to one container, running or not, and {0} is the name of {1} already ({2})."
        }
        Cause::NameFree => "Another container was called {0} then; now nobody has the name.",
        Cause::NoContainer => "No container has the name or id {0}, not even a stopped one.",
        Cause::NoImage => "The image {0} is not on this computer.",
        Cause::NoRepository => "The registry has no {0}, or it is private and wants docker login.",
        Cause::NoTag => "The repository exists, but not the tag: {0}.",
        Cause::NoVolume => "No volume has the name {0}.",
        Cause::NoNetwork => "No network has the name {0}.",
        Cause::StillRunning => "{0} is running. Docker does not remove a running container unless it is forced to.",
        Cause::NotRunning => "{0} is not running: its main process has ended, and nothing runs inside.",
        Cause::Paused => "{0} is paused: its processes are frozen.",
        Cause::ImageInUse => {
            "The container {0} stands on this image: its layers are needed as long as it exists, even stopped."
        }
        Cause::ImageHasChildren => "Other images stand on the layers of this one.",
        Cause::ImageHasNames => {
            "This image has more names. Take them off one by one, or delete it with all of them with -f."
        }
        Cause::PortTaken => "Port {0} of the host leads to {1} already, and a port can lead to one place only.",
        Cause::PortOfHost => "A program of the host listens on port {0} already, and a port can belong to one only.",
        Cause::PortFree => "Port {0} of the host led to another container then; now it is free.",
        Cause::VolumeInUse => "The volume {0} is mounted in {1}, even if it is stopped.",
        Cause::NetworkInUse => "There are containers on the network {0}: {1}.",
        Cause::NoProgram => "There is no program {0} in the image's files. A container has only what its image brings.",
        Cause::NotExecutable => "{0} is in the image, but can't be executed.",
        Cause::FlagBehindImage => {
            "What stands behind the image is for the container: Docker took {0} for the program to run. Docker's own flags \
             come before."
        }
        Cause::NoCommand => "Docker has no command {0}.",
        Cause::NoFlag => "{1} has no flag {0}.",
        Cause::NoSuchProgram => "There is no program {0} here: not in the shell, and no such file in the PATH.",
    },
};
