//! The page's words, one table a language. A text that is missing in a language does not compile.
//!
//! Docker's own words (`image`, `container`, `diff`) are Docker's and are not translated; what the page says about them
//! is. `{0}`, `{1}` stand for what [`fill`] puts in.

pub mod deeds;
pub mod explain;
pub mod gloss;
pub mod gloss_docker;
pub mod layers;
pub mod lesson;
pub mod panes;
pub mod programs;
pub mod stage;
pub mod time;
pub mod waste;

pub use crate::base::language::Language;
use crate::base::size::human_size3;
use crate::view::change::Change;
use crate::view::picture::{ContainerBox, ContainerState, Picture, Slab, Tree};
use crate::view::steps::Why;
pub use panes::PanesTexts;

impl Language {
    /// The texts.
    pub const fn texts(self) -> &'static Texts {
        match self {
            Self::Spanish => &SPANISH,
            Self::English => &ENGLISH,
        }
    }
}

/// A text for one and one for any other number, which is `{0}`.
#[derive(Debug)]
pub struct Count {
    /// For 1.
    pub one: &'static str,
    /// For 0, 2, 3 and so on.
    pub many: &'static str,
}

impl Count {
    /// The text for `n`.
    pub fn of(&self, n: usize) -> String {
        fill(if n == 1 { self.one } else { self.many }, &[&n.to_string()])
    }
}

/// Puts `parts` where `{0}`, `{1}` stand.
pub fn fill(template: &str, parts: &[&str]) -> String {
    let mut text = template.to_owned();
    for (at, part) in parts.iter().enumerate() {
        text = text.replace(&format!("{{{at}}}"), part);
    }
    text
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)+) => {
        /// Every text of the page.
        #[derive(Debug)]
        pub struct Texts {
            /// The language itself.
            pub language: Language,
            $($(#[$doc])* pub $name: $type,)+
        }
    };
}

texts! {
    /// The document's title.
    title: &'static str,
    /// What this is, in a sentence.
    purpose: &'static str,
    /// A link for keyboards.
    skip_to_terminal: &'static str,
    /// A link for keyboards.
    skip_to_layers: &'static str,
    /// Names the language switch.
    language_label: &'static str,
    /// The name of this language in itself.
    language_name: &'static str,
    /// Names the theme switch.
    theme_label: &'static str,
    /// The theme of the system.
    theme_system: &'static str,
    /// Light.
    theme_light: &'static str,
    /// Dark.
    theme_dark: &'static str,
    /// Names the panes' switch on phones.
    panes_label: &'static str,
    /// The terminal pane.
    terminal: &'static str,
    /// Names the text area of the terminal.
    terminal_input: &'static str,
    /// How a keyboard gets out of the terminal.
    terminal_hint: &'static str,
    /// A terminal's tab; `{0}` is its number.
    terminal_tab: &'static str,
    /// Opens another terminal.
    terminal_open: &'static str,
    /// Scrolls to the prompt.
    to_prompt: &'static str,
    /// Names the keys of the bar on touch screens.
    key_bar: &'static str,
    /// Heading over the first commands.
    start_title: &'static str,
    /// Under that heading.
    start_text: &'static str,
    /// Before the next commands.
    next_title: &'static str,
    /// What a click on a command does; `{0}` is the command.
    type_command: &'static str,
    /// The pane of layers.
    layers: &'static str,
    /// Switch: the drawing.
    as_drawing: &'static str,
    /// Switch: the text twin.
    as_text: &'static str,
    /// Names that switch.
    view_label: &'static str,
    /// Heading of the empty picture.
    empty_title: &'static str,
    /// Text of the empty picture.
    empty_text: &'static str,
    /// A part of the empty picture's sketch: the container's own layer.
    sketch_container: &'static str,
    /// A layer on a base.
    sketch_layer: &'static str,
    /// The base.
    sketch_base: &'static str,
    /// Images.
    images: Count,
    /// Layers.
    layer_count: Count,
    /// Containers.
    containers: Count,
    /// Containers that run.
    running: Count,
    /// `{0}` bytes on disk.
    on_disk: &'static str,
    /// `{0}` bytes saved.
    saved: &'static str,
    /// What saved means.
    saved_why: &'static str,
    /// A layer without instruction: it is on its way.
    arriving: &'static str,
    /// A layer of a deleted image.
    left: &'static str,
    /// A layer that made no change to files.
    no_files: &'static str,
    /// An image that has no layer.
    no_layers: &'static str,
    /// A layer that `{0}` images use, in a word.
    shared_by: &'static str,
    /// Where the layers lie.
    ground: &'static str,
    /// On phones: leads from the terminal to the layers.
    look: &'static str,
    /// A layer's users: `{0}` are names.
    used_by: &'static str,
    /// No image uses it yet.
    used_by_none: &'static str,
    /// Names the strip with one layer.
    layer: &'static str,
    /// Takes the strip away.
    close: &'static str,
    /// Label of a size.
    size: &'static str,
    /// Label of an instruction.
    made_by: &'static str,
    /// An image's line in the text twin: title, id, size.
    image_line: &'static str,
    /// A container's writable layer.
    writable: &'static str,
    /// Nothing written yet.
    unwritten: &'static str,
    /// Paths changed in it.
    paths: Count,
    /// States.
    state_created: &'static str,
    /// States.
    state_running: &'static str,
    /// States.
    state_paused: &'static str,
    /// States; `{0}` is the exit status.
    state_exited: &'static str,
    /// `{0}` of the host leads to `{1}` of the container.
    port: &'static str,
    /// Volumes.
    volumes: &'static str,
    /// Networks.
    networks: &'static str,
    /// Changes: see [`Change`].
    change_image: &'static str,
    /// New layers.
    change_new: Count,
    /// Layers reused.
    change_reused: Count,
    /// All of an image's layers were there.
    change_nothing_new: &'static str,
    /// Another name.
    change_named: &'static str,
    /// An image went.
    change_image_went: &'static str,
    /// And its layers.
    change_freed: Count,
    /// None of its layers went.
    change_freed_none: &'static str,
    /// Layers on their way.
    change_layers: Count,
    /// A container that runs.
    change_container: &'static str,
    /// A container that does not run.
    change_created: &'static str,
    /// It started.
    change_started: &'static str,
    /// It ended.
    change_ended: &'static str,
    /// It went.
    change_container_went: &'static str,
    /// It went with what was written.
    change_container_lost: &'static str,
    /// It wrote.
    change_wrote: &'static str,
    /// The page broke.
    broken_title: &'static str,
    /// What to do then.
    broken_text: &'static str,
    /// Why each step is offered, in [`Texts::why`].
    why: Reasons,
}

/// Why a command is offered, one a [`Why`].
#[derive(Debug)]
#[expect(missing_docs, reason = "each is named as its Why, which says what it is")]
pub struct Reasons {
    pub pull_one: &'static str,
    pub history: &'static str,
    pub pull_base: &'static str,
    pub pull_shared: &'static str,
    pub run_shell: &'static str,
    pub run_first: &'static str,
    pub run_second: &'static str,
    pub run_third: &'static str,
    pub write: &'static str,
    pub look_elsewhere: &'static str,
    pub list: &'static str,
    pub diff: &'static str,
    pub visit: &'static str,
    pub stop: &'static str,
    pub images: &'static str,
    pub inside_system: &'static str,
    pub inside_write: &'static str,
    pub inside_exit: &'static str,
}

static SPANISH: Texts = Texts {
    language: Language::Spanish,
    title: "Capas · un Docker transparente",
    purpose: "Un Docker transparente: escribe órdenes de verdad y mira qué hacen con las capas.",
    skip_to_terminal: "Ir a la terminal",
    skip_to_layers: "Ir a las capas",
    language_label: "Idioma",
    language_name: "Español",
    theme_label: "Tema",
    theme_system: "Como el sistema",
    theme_light: "Claro",
    theme_dark: "Oscuro",
    panes_label: "Vistas",
    terminal: "Terminal",
    terminal_input: "Entrada de la terminal",
    terminal_hint: "Mayús + Tab sale de la terminal.",
    terminal_tab: "Terminal {0}",
    terminal_open: "Abrir otra terminal",
    to_prompt: "Bajar hasta el final",
    key_bar: "Teclas",
    start_title: "Empieza por aquí",
    start_text: "Toca una orden y se escribirá sola, o escribe la tuya.",
    next_title: "Prueba ahora",
    type_command: "Escribir y ejecutar: {0}",
    layers: "Capas",
    as_drawing: "Dibujo",
    as_text: "Texto",
    view_label: "Ver las capas como",
    empty_title: "Aquí aparecerán las capas",
    empty_text: "Este Docker aún no tiene ninguna imagen. Descarga una y verás llegar cada una de sus capas.",
    sketch_container: "Lo que escribe el contenedor",
    sketch_layer: "Lo que añade la imagen",
    sketch_base: "La base, que se comparte",
    images: Count { one: "1 imagen", many: "{0} imágenes" },
    layer_count: Count { one: "1 capa", many: "{0} capas" },
    containers: Count { one: "1 contenedor", many: "{0} contenedores" },
    running: Count { one: "1 en marcha", many: "{0} en marcha" },
    on_disk: "{0} en disco",
    saved: "{0} ahorrados",
    saved_why: "Lo que ocuparían de más las capas compartidas si cada imagen tuviera su copia.",
    arriving: "En camino…",
    left: "De una imagen borrada",
    no_files: "sin ficheros",
    no_layers: "Imagen sin capas",
    shared_by: "compartida ×{0}",
    ground: "En el host: /var/lib/docker/overlay2",
    look: "Ver",
    used_by: "La usan: {0}",
    used_by_none: "Ninguna imagen la usa todavía",
    layer: "Capa",
    close: "Cerrar",
    size: "Tamaño",
    made_by: "Creada por",
    image_line: "Imagen {0} ({1}), {2}",
    writable: "Capa de escritura",
    unwritten: "sin cambios",
    paths: Count { one: "1 cambio", many: "{0} cambios" },
    state_created: "creado",
    state_running: "en marcha",
    state_paused: "en pausa",
    state_exited: "terminado ({0})",
    port: "El puerto {0} del host lleva al {1}",
    volumes: "Volúmenes",
    networks: "Redes",
    change_image: "Ha llegado {0}:",
    change_new: Count { one: "1 capa nueva", many: "{0} capas nuevas" },
    change_reused: Count {
        one: "1 que ya estaba y no se descarga ni se guarda otra vez",
        many: "{0} que ya estaban y no se descargan ni se guardan otra vez",
    },
    change_nothing_new: "todas sus capas ya estaban, solo es un nombre nuevo sobre ellas",
    change_named: "Una imagen que ya estaba se llama ahora también {0}: un nombre no ocupa nada.",
    change_image_went: "{0} se ha ido,",
    change_freed: Count {
        one: "y con ella 1 capa que nadie más usaba",
        many: "y con ella {0} capas que nadie más usaba",
    },
    change_freed_none: "pero sus capas se quedan, porque otra imagen las usa",
    change_layers: Count { one: "Ha llegado 1 capa", many: "Han llegado {0} capas" },
    change_container: "{0} está en marcha: una capa de escritura, fina y vacía, sobre {1}. La imagen no cambia.",
    change_created: "{0} está creado sobre {1}, pero no en marcha.",
    change_started: "{0} está en marcha.",
    change_ended: "{0} ha terminado ({1}). Su capa de escritura sigue ahí.",
    change_container_went: "{0} ya no está. La imagen sigue igual.",
    change_container_lost: "{0} ya no está, y lo que escribió se ha ido con su capa. La imagen sigue igual.",
    change_wrote: "{0} ha escrito en su propia capa ({1}). Ni la imagen ni los demás contenedores lo ven.",
    broken_title: "Capas se ha roto",
    broken_text: "Es un fallo nuestro, no tuyo. Tu sesión está guardada en este navegador. Si se repite, cuéntanos qué \
                  habías escrito.",
    why: Reasons {
        pull_one: "Descarga una imagen: llega una sola capa.",
        history: "Mira qué pasos la crearon, y cuáles no dejan capa.",
        pull_base: "Descarga una base que otras imágenes comparten.",
        pull_shared: "13 capas, y una de ellas ya la tienes.",
        run_shell: "Entra en un contenedor: una capa fina donde escribir.",
        run_first: "Arranca un servidor con las diapositivas del curso.",
        run_second: "Otro contenedor de la misma imagen, en otro puerto.",
        run_third: "Y un tercero: la imagen sigue siendo una.",
        write: "Crea un fichero solo en instancia2.",
        look_elsewhere: "¿Lo ve el otro contenedor?",
        list: "Los contenedores en marcha.",
        diff: "Qué ha cambiado en su capa de escritura.",
        visit: "Pide la página que sirve el contenedor.",
        stop: "Páralo: con --rm, su capa desaparece.",
        images: "Las imágenes que tienes.",
        inside_system: "Estás dentro: ¿qué sistema es este?",
        inside_write: "Escribe un fichero y mira su capa.",
        inside_exit: "Sal: el contenedor y su fichero se van.",
    },
};

static ENGLISH: Texts = Texts {
    language: Language::English,
    title: "Capas · a Docker you can see through",
    purpose: "A Docker you can see through: type real commands and watch what they do to the layers.",
    skip_to_terminal: "Go to the terminal",
    skip_to_layers: "Go to the layers",
    language_label: "Language",
    language_name: "English",
    theme_label: "Theme",
    theme_system: "As the system",
    theme_light: "Light",
    theme_dark: "Dark",
    panes_label: "Views",
    terminal: "Terminal",
    terminal_input: "Terminal input",
    terminal_hint: "Shift + Tab leaves the terminal.",
    terminal_tab: "Terminal {0}",
    terminal_open: "Open another terminal",
    to_prompt: "Scroll to the end",
    key_bar: "Keys",
    start_title: "Start here",
    start_text: "Pick a command and it types itself, or type your own.",
    next_title: "Try now",
    type_command: "Type and run: {0}",
    layers: "Layers",
    as_drawing: "Drawing",
    as_text: "Text",
    view_label: "Show the layers as",
    empty_title: "Layers will appear here",
    empty_text: "This Docker has no images yet. Pull one and watch each of its layers arrive.",
    sketch_container: "What the container writes",
    sketch_layer: "What the image adds",
    sketch_base: "The base, which is shared",
    images: Count { one: "1 image", many: "{0} images" },
    layer_count: Count { one: "1 layer", many: "{0} layers" },
    containers: Count { one: "1 container", many: "{0} containers" },
    running: Count { one: "1 running", many: "{0} running" },
    on_disk: "{0} on disk",
    saved: "{0} saved",
    saved_why: "What shared layers would take on top if every image had a copy of its own.",
    arriving: "On its way…",
    left: "Of a deleted image",
    no_files: "no files",
    no_layers: "Image without layers",
    shared_by: "shared ×{0}",
    ground: "On the host: /var/lib/docker/overlay2",
    look: "Look",
    used_by: "Used by: {0}",
    used_by_none: "No image uses it yet",
    layer: "Layer",
    close: "Close",
    size: "Size",
    made_by: "Made by",
    image_line: "Image {0} ({1}), {2}",
    writable: "Writable layer",
    unwritten: "no changes",
    paths: Count { one: "1 change", many: "{0} changes" },
    state_created: "created",
    state_running: "running",
    state_paused: "paused",
    state_exited: "exited ({0})",
    port: "Port {0} of the host leads to {1}",
    volumes: "Volumes",
    networks: "Networks",
    change_image: "{0} has arrived:",
    change_new: Count { one: "1 new layer", many: "{0} new layers" },
    change_reused: Count {
        one: "1 that was there and is neither downloaded nor stored again",
        many: "{0} that were there and are neither downloaded nor stored again",
    },
    change_nothing_new: "all of its layers were there, it is just a new name on them",
    change_named: "An image that was there is now also called {0}: a name takes no space.",
    change_image_went: "{0} is gone,",
    change_freed: Count {
        one: "and with it 1 layer that nobody else used",
        many: "and with it {0} layers that nobody else used",
    },
    change_freed_none: "but its layers stay, as another image uses them",
    change_layers: Count { one: "1 layer has arrived", many: "{0} layers have arrived" },
    change_container: "{0} is running: a thin and empty writable layer on {1}. The image does not change.",
    change_created: "{0} is created on {1}, but not running.",
    change_started: "{0} is running.",
    change_ended: "{0} has exited ({1}). Its writable layer is still there.",
    change_container_went: "{0} is gone. The image is as it was.",
    change_container_lost: "{0} is gone, and what it wrote went with its layer. The image is as it was.",
    change_wrote: "{0} wrote to its own layer ({1}). Neither the image nor the other containers see it.",
    broken_title: "Capas broke",
    broken_text: "The fault is ours, not yours. Your session is kept in this browser. If it happens again, tell us what \
                  you had typed.",
    why: Reasons {
        pull_one: "Pull an image: just one layer arrives.",
        history: "See which steps made it, and which leave no layer.",
        pull_base: "Pull a base that other images share.",
        pull_shared: "13 layers, and one of them you have.",
        run_shell: "Enter a container: a thin layer to write on.",
        run_first: "Start a server with the slides of the course.",
        run_second: "Another container of the same image, on another port.",
        run_third: "And a third: the image is still one.",
        write: "Make a file in instancia2 only.",
        look_elsewhere: "Does the other container see it?",
        list: "The containers that run.",
        diff: "What changed in its writable layer.",
        visit: "Ask for the page that the container serves.",
        stop: "Stop it: with --rm its layer goes.",
        images: "The images that you have.",
        inside_system: "You are inside: which system is this?",
        inside_write: "Write a file and watch its layer.",
        inside_exit: "Leave: the container and its file go.",
    },
};

impl Texts {
    /// Why a step is offered.
    pub fn why(&self, why: Why) -> &'static str {
        let reasons = &self.why;
        match why {
            Why::PullOne => reasons.pull_one,
            Why::History => reasons.history,
            Why::PullBase => reasons.pull_base,
            Why::PullShared => reasons.pull_shared,
            Why::RunShell => reasons.run_shell,
            Why::RunFirst => reasons.run_first,
            Why::RunSecond => reasons.run_second,
            Why::RunThird => reasons.run_third,
            Why::Write => reasons.write,
            Why::LookElsewhere => reasons.look_elsewhere,
            Why::List => reasons.list,
            Why::Diff => reasons.diff,
            Why::Visit => reasons.visit,
            Why::Stop => reasons.stop,
            Why::Images => reasons.images,
            Why::InsideSystem => reasons.inside_system,
            Why::InsideWrite => reasons.inside_write,
            Why::InsideExit => reasons.inside_exit,
        }
    }

    /// A container's state in words.
    pub fn state(&self, state: ContainerState) -> String {
        match state {
            ContainerState::Created => self.state_created.to_owned(),
            ContainerState::Running => self.state_running.to_owned(),
            ContainerState::Paused => self.state_paused.to_owned(),
            ContainerState::Exited(status) => fill(self.state_exited, &[&status.to_string()]),
        }
    }

    /// What a container's writable layer holds: `2 changes · 1.5kB`.
    pub fn writable_content(&self, container: &ContainerBox) -> String {
        match container.fact.changed_paths {
            0 => self.unwritten.to_owned(),
            n => format!("{} · {}", self.paths.of(n), human_size3(container.fact.size_bytes)),
        }
    }

    /// A change in a sentence.
    pub fn change(&self, change: &Change) -> String {
        match change {
            Change::ImageCame { name, new_layers: 0, .. } => {
                format!("{} {}.", fill(self.change_image, &[name]), self.change_nothing_new)
            }
            Change::ImageCame { name, new_layers, reused_layers } => {
                let mut text = format!("{} {}", fill(self.change_image, &[name]), self.change_new.of(*new_layers));
                if *reused_layers > 0 {
                    text.push_str(" + ");
                    text.push_str(&self.change_reused.of(*reused_layers));
                }
                text.push('.');
                text
            }
            Change::Named { name } => fill(self.change_named, &[name]),
            Change::ImageWent { name, freed_layers } => {
                let rest = match freed_layers {
                    0 => self.change_freed_none.to_owned(),
                    n => self.change_freed.of(*n),
                };
                format!("{} {rest}.", fill(self.change_image_went, &[name]))
            }
            Change::LayersCame { layers } => format!("{}.", self.change_layers.of(*layers)),
            Change::ContainerCame { name, image, running: true } => fill(self.change_container, &[name, image]),
            Change::ContainerCame { name, image, .. } => fill(self.change_created, &[name, image]),
            Change::Started { name } => fill(self.change_started, &[name]),
            Change::Ended { name, status } => fill(self.change_ended, &[name, &status.to_string()]),
            Change::ContainerWent { name, lost_paths: 0 } => fill(self.change_container_went, &[name]),
            Change::ContainerWent { name, .. } => fill(self.change_container_lost, &[name]),
            Change::Wrote { name, paths } => fill(self.change_wrote, &[name, &self.paths.of(*paths)]),
        }
    }

    /// A layer in a line: id, what made it, size, users.
    pub fn slab_line(&self, slab: &Slab) -> String {
        let mut text = format!("{} {}, {}", self.layer, slab.short, self.slab_size(slab));
        match &slab.instruction {
            Some(step) => {
                text.push_str(&format!(": {} {}", step.keyword, step.rest));
            }
            None => text.push_str(&format!(": {}", if slab.is_left { self.left } else { self.arriving })),
        }
        if slab.used_by.len() > 1 {
            text.push_str(&format!(". {}", fill(self.used_by, &[&slab.used_by.join(", ")])));
        }
        text
    }

    /// A layer's size, in words when it has no files.
    pub fn slab_size(&self, slab: &Slab) -> String {
        match slab.size_bytes {
            0 => self.no_files.to_owned(),
            bytes => human_size3(bytes),
        }
    }

    /// A container in a line.
    pub fn container_line(&self, container: &ContainerBox) -> String {
        let fact = &container.fact;
        let mut text = format!("{}: {}", fact.name, self.state(fact.state));
        for port in &fact.ports {
            text.push_str(", ");
            text.push_str(&fill(self.port, &[&port.host.to_string(), &port.container.to_string()]));
        }
        text.push_str(&format!(". {}: {}", self.writable, self.writable_content(container)));
        text
    }

    /// The sums in a line.
    pub fn totals_line(&self, picture: &Picture) -> String {
        let totals = &picture.totals;
        let mut parts = vec![self.images.of(totals.images), self.layer_count.of(totals.layers)];
        if totals.containers > 0 {
            parts.push(self.containers.of(totals.containers));
            parts.push(self.running.of(totals.running));
        }
        parts.push(fill(self.on_disk, &[&human_size3(totals.disk_bytes)]));
        if totals.saved_bytes > 0 {
            parts.push(fill(self.saved, &[&human_size3(totals.saved_bytes)]));
        }
        parts.join(" · ")
    }

    /// The picture's text twin: lines with their depth, bases before what stands on them.
    pub fn outline(&self, picture: &Picture) -> Vec<(usize, String)> {
        let mut lines = vec![(0, self.totals_line(picture))];
        let mut open: Vec<(usize, &Tree)> = picture.trees.iter().rev().map(|tree| (0, tree.as_ref())).collect();
        while let Some((depth, tree)) = open.pop() {
            if tree.slabs.is_empty() {
                lines.push((depth, self.no_layers.to_owned()));
            }
            lines.extend(tree.slabs.iter().map(|slab| (depth, self.slab_line(slab))));
            for image in &tree.images {
                let names = if image.names.is_empty() { image.title().to_owned() } else { image.names.join(", ") };
                let parts = [names.as_str(), &image.id.short(), &human_size3(image.size_bytes)];
                lines.push((depth, fill(self.image_line, &parts)));
            }
            lines.extend(tree.containers.iter().map(|container| (depth + 1, self.container_line(container))));
            open.extend(tree.branches.iter().rev().map(|branch| (depth + 1, branch.as_ref())));
        }
        for volume in &picture.volumes {
            lines.push((0, format!("{}: {}, {}", self.volumes, volume.name, human_size3(volume.size_bytes))));
        }
        for network in &picture.networks {
            lines.push((0, format!("{}: {} ({})", self.networks, network.name, network.driver)));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::picture::tests::World;

    #[test]
    fn tags_of_the_browser_find_a_language() {
        assert_eq!(Language::from_tag("en-GB"), Some(Language::English));
        assert_eq!(Language::from_tag("ES"), Some(Language::Spanish));
        assert_eq!(Language::from_tag("de"), None);
    }

    #[test]
    fn counts_know_one_from_many() {
        let texts = Language::Spanish.texts();
        assert_eq!(texts.images.of(1), "1 imagen");
        assert_eq!(texts.images.of(0), "0 imágenes");
    }

    #[test]
    fn a_pull_says_what_was_reused() {
        let change = Change::ImageCame { name: "postgres:11".to_owned(), new_layers: 12, reused_layers: 1 };
        assert_eq!(
            Language::English.texts().change(&change),
            "postgres:11 has arrived: 12 new layers + 1 that was there and is neither downloaded nor stored again."
        );
    }

    #[test]
    fn the_text_twin_says_all_that_the_drawing_shows() {
        let world = World::default().image("base", &["b"]).image("app", &["b", "a"]).container("web");
        let lines: Vec<String> = Language::English
            .texts()
            .outline(&world.picture())
            .into_iter()
            .map(|(depth, text)| format!("{}{text}", "  ".repeat(depth)))
            .collect();
        let (picture, texts) = (world.picture(), Language::English.texts());
        assert_eq!(lines[0], "2 images · 2 layers · 1 container · 1 running · 200B on disk · 100B saved");
        assert_eq!(lines[1], format!("Layer {}, 100B: RUN b. Used by: base, app", picture.slabs()[0].short));
        assert!(lines[2].starts_with("Image base ("), "{}", lines[2]);
        assert!(lines[3].starts_with("  Layer "), "{}", lines[3]);
        assert_eq!(lines[5], "    web: running, Port 9003 of the host leads to 8003. Writable layer: no changes");
        assert_eq!(texts.outline(&picture).len(), 6);
    }
}
