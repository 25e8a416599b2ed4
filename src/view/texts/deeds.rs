//! Sentences for what the daemon did. Docker's words stay Docker's.

use super::{Language, fill};
use crate::base::size::human_size3;
use crate::docker::daemon::api::system::EventKind;
use crate::view::timeline::Deed;

/// The sentences. `{0}` is the name, `{1}` an image, a path or a status.
#[derive(Debug)]
pub struct DeedTexts {
    /// By kind and Docker's word for the event.
    events: &'static [(EventKind, &'static str, &'static str)],
    /// Any other event: kind, word, name.
    other: &'static str,
    /// The instruction: run, or found in the cache.
    step: [&'static str; 2],
    /// Container, first path, count.
    created: [&'static str; 2],
    /// The same and the size.
    copied_up: [&'static str; 2],
    /// Container, first path, count.
    whited_out: [&'static str; 2],
}

impl DeedTexts {
    /// The sentence for a deed.
    pub fn sentence(&self, deed: &Deed) -> String {
        let counted = |[one, many]: [&'static str; 2], count: usize, parts: &[&str]| {
            fill(if count == 1 { one } else { many }, parts)
        };
        match deed {
            Deed::Event { kind, action, name, status, image, times } => {
                let known = self.events.iter().find(|(of, word, _)| of == kind && word == action);
                let status = status.map(|status| status.to_string());
                let more = status.or_else(|| image.clone()).unwrap_or_default();
                let once = match known {
                    Some((_, _, sentence)) => fill(sentence, &[name, &more]),
                    None => fill(self.other, &[kind.name(), action, name]),
                };
                if *times > 1 { format!("{once} (×{times})") } else { once }
            }
            Deed::Step { instruction, is_cached } => {
                let [run, cached] = self.step;
                fill(if *is_cached { cached } else { run }, &[instruction])
            }
            Deed::Created { container, path, count } => {
                counted(self.created, *count, &[container, path, &count.to_string()])
            }
            Deed::CopiedUp { container, path, count, size_bytes, .. } => {
                counted(self.copied_up, *count, &[container, path, &count.to_string(), &human_size3(*size_bytes)])
            }
            Deed::WhitedOut { container, path, count } => {
                counted(self.whited_out, *count, &[container, path, &count.to_string()])
            }
        }
    }
}

impl Language {
    /// The sentences.
    pub const fn deeds(self) -> &'static DeedTexts {
        match self {
            Self::Spanish => &SPANISH,
            Self::English => &ENGLISH,
        }
    }
}

use EventKind::{Container, Image, Network, Volume};

static SPANISH: DeedTexts = DeedTexts {
    events: &[
        (Image, "pull", "Trajo la imagen {0} del registro: solo las capas que faltaban."),
        (Image, "push", "Subió la imagen {0} al registro."),
        (Image, "tag", "Puso a una imagen el nombre {0}."),
        (Image, "untag", "Le quitó un nombre a la imagen {0}."),
        (Image, "delete", "Borró la imagen {0} y las capas que nadie más usaba."),
        (Image, "load", "Cargó la imagen {0} de un fichero."),
        (Image, "import", "Hizo la imagen {0} con los ficheros de un tar: una sola capa."),
        (Image, "save", "Escribió la imagen {0} en un fichero."),
        (Container, "create", "Creó el contenedor {0}: una capa de escritura vacía sobre la imagen {1}."),
        (Container, "start", "Arrancó el proceso principal de {0}."),
        (Container, "attach", "Conectó la terminal con {0}."),
        (Container, "die", "El proceso principal de {0} terminó con estado {1}."),
        (Container, "kill", "Envió una señal a {0}."),
        (Container, "stop", "Paró {0}; su capa de escritura sigue ahí."),
        (Container, "restart", "Volvió a arrancar {0} con su misma capa de escritura."),
        (Container, "pause", "Congeló los procesos de {0}."),
        (Container, "unpause", "Descongeló los procesos de {0}."),
        (Container, "rename", "El contenedor se llama ahora {0}."),
        (Container, "destroy", "Borró el contenedor {0} y, con él, todo lo que había en su capa de escritura."),
        (Container, "commit", "Selló la capa de escritura de {0} como una capa nueva de solo lectura."),
        (Container, "export", "Escribió los ficheros de {0}, ya mezclados, en un tar."),
        (Container, "exec_create", "Preparó otro proceso dentro de {0}."),
        (Container, "exec_start", "Arrancó otro proceso dentro de {0}, con sus mismos ficheros."),
        (Container, "exec_die", "Terminó un proceso que corría dentro de {0}, con estado {1}."),
        (Container, "update", "Cambió los límites de {0}."),
        (Network, "create", "Creó la red {0}."),
        (Network, "connect", "Conectó un contenedor a la red {0}."),
        (Network, "disconnect", "Desconectó un contenedor de la red {0}."),
        (Network, "destroy", "Borró la red {0}."),
        (Volume, "create", "Creó el volumen {0}, que vive fuera de las capas."),
        (Volume, "mount", "Montó el volumen {0} en un contenedor."),
        (Volume, "unmount", "Desmontó el volumen {0}."),
        (Volume, "destroy", "Borró el volumen {0} y lo que había en él."),
    ],
    other: "{0} {1}: {2}.",
    step: ["Ejecutó el paso {0}.", "No ejecutó el paso {0}: ya tenía su capa."],
    created: [
        "{1} es nuevo en la capa de escritura de {0}.",
        "{2} ficheros son nuevos en la capa de escritura de {0}: {1}, …",
    ],
    copied_up: [
        "{1} se copió de una capa de la imagen a la de escritura de {0} para cambiarlo: {3}.",
        "{2} ficheros y carpetas se copiaron de capas de la imagen a la de escritura de {0} para cambiarlos: {1}, … ({3}).",
    ],
    whited_out: [
        "{1} quedó tapado en {0}: sigue en la imagen, pero el contenedor ya no lo ve.",
        "{2} ficheros quedaron tapados en {0}: {1}, … Siguen en la imagen, pero el contenedor ya no los ve.",
    ],
};

static ENGLISH: DeedTexts = DeedTexts {
    events: &[
        (Image, "pull", "Brought the image {0} from the registry: only the layers that were missing."),
        (Image, "push", "Sent the image {0} to the registry."),
        (Image, "tag", "Gave an image the name {0}."),
        (Image, "untag", "Took a name off the image {0}."),
        (Image, "delete", "Deleted the image {0} and the layers that nobody else used."),
        (Image, "load", "Loaded the image {0} from a file."),
        (Image, "import", "Made the image {0} from the files of a tar: a single layer."),
        (Image, "save", "Wrote the image {0} to a file."),
        (Container, "create", "Created the container {0}: an empty writable layer on the image {1}."),
        (Container, "start", "Started the main process of {0}."),
        (Container, "attach", "Connected the terminal to {0}."),
        (Container, "die", "The main process of {0} ended with status {1}."),
        (Container, "kill", "Sent a signal to {0}."),
        (Container, "stop", "Stopped {0}; its writable layer is still there."),
        (Container, "restart", "Started {0} again with the same writable layer."),
        (Container, "pause", "Froze the processes of {0}."),
        (Container, "unpause", "Unfroze the processes of {0}."),
        (Container, "rename", "The container is now called {0}."),
        (Container, "destroy", "Deleted the container {0} and, with it, everything in its writable layer."),
        (Container, "commit", "Sealed the writable layer of {0} as a new read-only layer."),
        (Container, "export", "Wrote the files of {0}, merged, to a tar."),
        (Container, "exec_create", "Prepared another process inside {0}."),
        (Container, "exec_start", "Started another process inside {0}, with the same files."),
        (Container, "exec_die", "A process that ran inside {0} ended with status {1}."),
        (Container, "update", "Changed the limits of {0}."),
        (Network, "create", "Created the network {0}."),
        (Network, "connect", "Connected a container to the network {0}."),
        (Network, "disconnect", "Disconnected a container from the network {0}."),
        (Network, "destroy", "Deleted the network {0}."),
        (Volume, "create", "Created the volume {0}, which lives outside of the layers."),
        (Volume, "mount", "Mounted the volume {0} in a container."),
        (Volume, "unmount", "Unmounted the volume {0}."),
        (Volume, "destroy", "Deleted the volume {0} and what was in it."),
    ],
    other: "{0} {1}: {2}.",
    step: ["Ran the step {0}.", "Did not run the step {0}: its layer was there already."],
    created: ["{1} is new in the writable layer of {0}.", "{2} files are new in the writable layer of {0}: {1}, …"],
    copied_up: [
        "{1} was copied from a layer of the image to the writable one of {0} to be changed: {3}.",
        "{2} files and folders were copied from layers of the image to the writable one of {0} to be changed: {1}, … ({3}).",
    ],
    whited_out: [
        "{1} is hidden in {0}: it is still in the image, but the container no longer sees it.",
        "{2} files are hidden in {0}: {1}, … They are still in the image, but the container no longer sees them.",
    ],
};
