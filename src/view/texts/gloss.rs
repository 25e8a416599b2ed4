//! Sentences for the pieces of command lines and Dockerfiles.

use super::{Language, fill};
use crate::view::picture::ContainerBox;

/// The sentences.
#[derive(Debug)]
pub struct GlossTexts {
    /// Of what is Docker's own text.
    pub docker_says: &'static str,
    /// Heading of the list of a whole line.
    pub whole: &'static str,
    /// When there is nothing to explain yet.
    pub nothing: &'static str,
    /// How the list is closed.
    pub close: &'static str,
    /// The program `docker`.
    pub docker: &'static str,
    /// `{0}` is no command of docker.
    pub no_command: &'static str,
    /// `{0}` has no flag `{1}`.
    pub no_flag: &'static str,
    /// A flag that does nothing here.
    pub not_simulated: &'static str,
    /// `--help`.
    pub help: &'static str,
    /// `--`.
    pub end_of_flags: &'static str,
    /// The same command as `{0}`.
    pub same_as: &'static str,
    /// Port `{0}` of the host, `{1}` of the container, protocol `{2}`.
    pub port: &'static str,
    /// Port `{0}` of the container, protocol `{1}`, any of the host.
    pub port_any: &'static str,
    /// Port `{0}` leads to the container `{1}`.
    pub port_now: &'static str,
    /// A volume without a name at `{0}`.
    pub volume_anonymous: &'static str,
    /// The volume `{0}`, which there is, at `{1}`.
    pub volume_known: &'static str,
    /// The volume `{0}`, which is made, at `{1}`.
    pub volume_new: &'static str,
    /// The folder `{0}` of the host at `{1}`.
    pub bind: &'static str,
    /// `:ro`.
    pub read_only: &'static str,
    /// The variable `{0}` with the value `{1}`.
    pub env_value: &'static str,
    /// The variable `{0}` with the host's value.
    pub env_name: &'static str,
    /// The network `{0}`, driver `{1}`.
    pub network_now: &'static str,
    /// There is no network `{0}`.
    pub no_network: &'static str,
    /// The volume `{0}`, size `{1}`.
    pub volume_now: &'static str,
    /// There is no volume `{0}`.
    pub no_volume: &'static str,
    /// There is no container `{0}`.
    pub no_container: &'static str,
    /// The name `{0}` is free.
    pub name_free: &'static str,
    /// Repository `{0}` at the registry `{1}`, with the tag or digest `{2}`.
    pub image: &'static str,
    /// No tag was given.
    pub image_latest: &'static str,
    /// It is here, with the size `{0}`.
    pub image_here: &'static str,
    /// It is not here.
    pub image_not_here: &'static str,
    /// The id of the image `{0}`, size `{1}`.
    pub image_id: &'static str,
    /// `{0}` cannot be an image's name.
    pub bad_image: &'static str,
    /// The path `{0}` in the container `{1}`.
    pub path_inside: &'static str,
    /// The path `{0}` of the host.
    pub path_host: &'static str,
    /// The context of a build.
    pub context: &'static str,
    /// The context comes from standard input.
    pub context_stdin: &'static str,
    /// The service `{0}` of compose.yaml.
    pub service: &'static str,
    /// A program that is not in the tables: `{0}`.
    pub some_program: &'static str,
    /// A flag that is not: `{0}` of `{1}`.
    pub some_flag: &'static str,
    /// `NAME=value` before a command; `{0}` is the name.
    pub assignment: &'static str,
    /// `{0}` is a variable.
    pub variable: &'static str,
    /// `{0}` is a pattern for names.
    pub pattern: &'static str,
    /// `$(...)`.
    pub substitution: &'static str,
    /// The file `{0}` of a redirection.
    pub redirect_target: &'static str,
    /// `["a", "b"]`.
    pub exec_form: &'static str,
    /// `FROM scratch`.
    pub scratch: &'static str,
    /// `AS name`.
    pub stage: &'static str,
    /// What is copied.
    pub copy_from: &'static str,
    /// Where to.
    pub copy_to: &'static str,
    /// The container `{0}` of the image `{1}`: its state `{2}`.
    container: &'static str,
    /// An operator of the shell.
    pub operator: fn(&str) -> &'static str,
    /// An instruction.
    pub instruction: fn(&str) -> &'static str,
    /// A flag of an instruction.
    pub instruction_flag: fn(&str) -> &'static str,
}

impl GlossTexts {
    /// What a container is just now.
    pub fn container_now(&self, container: &ContainerBox, language: Language) -> String {
        let state = language.texts().state(container.fact.state);
        fill(self.container, &[&container.fact.name, &container.image_title, &state])
    }
}

impl Language {
    /// The sentences.
    pub const fn gloss(self) -> &'static GlossTexts {
        match self {
            Self::Spanish => &SPANISH,
            Self::English => &ENGLISH,
        }
    }
}

static SPANISH: GlossTexts = GlossTexts {
    docker_says: "La ayuda de Docker",
    whole: "Qué dice esta línea",
    nothing: "Escribe una orden y pulsa F1 para ver qué significa cada parte.",
    close: "Cerrar",
    docker: "El cliente de Docker: lee la orden y se la pasa al daemon, que es quien hace el trabajo.",
    no_command: "Docker no tiene ninguna orden «{0}».",
    no_flag: "`{0}` no tiene la opción `{1}`.",
    not_simulated: "Aquí no está simulada: usarla da un error que lo dice.",
    help: "Muestra la ayuda de esta orden y no hace nada más.",
    end_of_flags: "Aquí acaban las opciones: lo que sigue son argumentos, aunque empiece por guion.",
    same_as: "Es lo mismo que `{0}`.",
    port: "El puerto {0} del host lleva al {1} del contenedor ({2}).",
    port_any: "El puerto {0} del contenedor ({1}) se publica en un puerto libre cualquiera del host.",
    port_now: "Ahora mismo el {0} del host ya lleva a {1}.",
    volume_anonymous: "Un volumen nuevo y sin nombre, montado en {0}.",
    volume_known: "El volumen {0}, que ya existe, montado en {1}.",
    volume_new: "Un volumen {0}, que se creará, montado en {1}.",
    bind: "La carpeta o el fichero {0} del host, visto desde dentro como {1}. No es una copia.",
    read_only: "Solo para leer.",
    env_value: "La variable {0} vale «{1}».",
    env_name: "La variable {0}, con el valor que tenga en el host.",
    network_now: "La red {0} (driver {1}).",
    no_network: "Ahora mismo no hay ninguna red {0}.",
    volume_now: "El volumen {0}: {1}.",
    no_volume: "Ahora mismo no hay ningún volumen {0}.",
    no_container: "Ahora mismo no hay ningún contenedor {0}.",
    name_free: "El nombre {0} está libre.",
    image: "La imagen `{0}{2}` del registro {1}.",
    image_latest: "Sin etiqueta es `latest`, que es un nombre como otro: no tiene por qué ser la última.",
    image_here: "Ya está en este equipo ({0}).",
    image_not_here: "No está en este equipo: si hace falta, se descarga.",
    image_id: "El id de la imagen {0} ({1}).",
    bad_image: "«{0}» no puede ser el nombre de una imagen.",
    path_inside: "La ruta {0} dentro del contenedor {1}.",
    path_host: "La ruta {0} del host.",
    context: "El contexto: la carpeta cuyos ficheros pueden copiar COPY y ADD. Se envía al daemon sin lo que excluya .dockerignore.",
    context_stdin: "El Dockerfile, o el contexto entero como tar, llega por la entrada estándar.",
    service: "El servicio {0} del fichero de compose.",
    some_program: "El programa `{0}`: se ejecuta si hay un fichero con ese nombre en el PATH.",
    some_flag: "La opción `{0}` de `{1}`.",
    assignment: "Da un valor a la variable {0} para lo que sigue.",
    variable: "El shell pone aquí el valor de {0} antes de ejecutar la orden.",
    pattern: "El shell cambia {0} por los nombres de fichero que encajan.",
    substitution: "El shell ejecuta lo de dentro y pone aquí lo que imprime.",
    redirect_target: "El fichero {0}.",
    exec_form: "Forma exec: se ejecuta tal cual, sin shell; no hay variables ni comodines.",
    scratch: "La imagen vacía: ninguna capa debajo. No se puede descargar ni ejecutar, solo empezar desde ella.",
    stage: "Un nombre para esta etapa, por el que la llaman COPY --from y --target.",
    copy_from: "Lo que se copia: del contexto, o de la etapa o imagen de --from.",
    copy_to: "Adónde, dentro de la imagen. Con barra final es una carpeta.",
    container: "El contenedor {0}, de la imagen {1}: {2}.",
    operator: |text| match text {
        "|" => "Lo que imprime la orden de la izquierda es la entrada de la de la derecha.",
        "&&" => "La siguiente solo se ejecuta si la anterior acaba bien (estado 0).",
        "||" => "La siguiente solo se ejecuta si la anterior falla.",
        ";" => "Primero una, después la otra, pase lo que pase.",
        "&" => "La orden sigue en segundo plano y el prompt vuelve enseguida.",
        "(" | ")" => "Un shell aparte: lo que cambie dentro (carpeta, variables) no sale de él.",
        "#" => "Un comentario: el shell lo pasa por alto.",
        "<" => "La entrada de la orden es este fichero.",
        "<<" | "<<-" => "Here-document: la entrada son las líneas que siguen, hasta la palabra indicada.",
        "<<<" => "La entrada de la orden es este texto.",
        "2>&1" => "Los errores van al mismo sitio que la salida.",
        text if text.contains(">>") => "La salida se añade al final de este fichero.",
        text if text.starts_with('2') => "Los errores van a este fichero.",
        text if text.contains("&>") => "La salida y los errores van a este fichero.",
        text if text.contains('>') => "La salida va a este fichero, que se vacía antes.",
        _ => "",
    },
    instruction: |name| match name {
        "FROM" => "La imagen de la que se parte: sus capas quedan debajo de las de esta. Empieza una etapa.",
        "RUN" => "Ejecuta una orden en un contenedor y guarda en una capa nueva lo que cambió.",
        "COPY" => "Copia ficheros a la imagen, en una capa nueva.",
        "ADD" => "Como COPY, y además desempaqueta archivos tar locales y acepta URL.",
        "CMD" => "Lo que ejecuta el contenedor si no se le pide otra cosa. Solo cambia la configuración: ninguna capa.",
        "ENTRYPOINT" => {
            "El programa que el contenedor ejecuta siempre; CMD o lo que se escriba son sus argumentos. Ninguna capa."
        }
        "ENV" => "Una variable de entorno, en los pasos que siguen y en los contenedores. Ninguna capa.",
        "ARG" => "Una variable que solo existe mientras se construye y que se da con --build-arg.",
        "WORKDIR" => "La carpeta de trabajo de los pasos que siguen y de los contenedores; se crea si no existe.",
        "USER" => "Con qué usuario se ejecutan los pasos que siguen y los contenedores.",
        "EXPOSE" => "Anota en qué puerto escucha. No publica nada: para eso está docker run -p.",
        "VOLUME" => "Esta ruta será un volumen en cada contenedor: lo que se escriba en ella no irá a su capa.",
        "LABEL" => "Datos sobre la imagen, como pares clave=valor. Ninguna capa.",
        "HEALTHCHECK" => "Una orden que el daemon repite para saber si el contenedor está sano.",
        "SHELL" => "El shell de las formas sin corchetes de RUN, CMD y ENTRYPOINT.",
        "STOPSIGNAL" => "La señal con la que docker stop pide que termine.",
        "ONBUILD" => "Una instrucción que se ejecutará cuando otra imagen parta de esta.",
        "MAINTAINER" => "El autor. Está en desuso: mejor una etiqueta LABEL.",
        _ => "",
    },
    instruction_flag: |name| match name {
        "--from" => "De qué etapa, imagen o contexto con nombre se copia, en lugar del contexto.",
        "--chown" => "De quién serán los ficheros. Cambiarlo después con RUN chown los copiaría a otra capa.",
        "--chmod" => "Los permisos de los ficheros.",
        "--link" => "La capa no depende de las de debajo, y sirve de caché aunque cambien.",
        "--exclude" => "Lo que no se copia.",
        "--parents" => "Se conservan las carpetas de las rutas de origen.",
        "--mount" => "Algo montado solo durante este paso: no queda en la capa.",
        "--network" => "La red de este paso.",
        "--platform" => "Para qué sistema y procesador es la imagen.",
        "--interval" => "Cada cuánto se comprueba.",
        "--timeout" => "Cuánto puede tardar la comprobación.",
        "--retries" => "Cuántos fallos seguidos hacen falta para darlo por enfermo.",
        "--start-period" => "Cuánto tiempo se le da para arrancar.",
        "--checksum" => "El resumen que debe tener lo que se descarga.",
        _ => "",
    },
};

static ENGLISH: GlossTexts = GlossTexts {
    docker_says: "Docker's help",
    whole: "What this line says",
    nothing: "Type a command and press F1 to see what each part means.",
    close: "Close",
    docker: "Docker's client: it reads the command and hands it to the daemon, which does the work.",
    no_command: "Docker has no command “{0}”.",
    no_flag: "`{0}` has no flag `{1}`.",
    not_simulated: "It is not simulated here: using it is an error that says so.",
    help: "Shows this command's help and does nothing else.",
    end_of_flags: "Flags end here: what follows are arguments, even if they begin with a dash.",
    same_as: "The same as `{0}`.",
    port: "Port {0} of the host leads to port {1} of the container ({2}).",
    port_any: "Port {0} of the container ({1}) is published on any free port of the host.",
    port_now: "Just now port {0} of the host leads to {1}.",
    volume_anonymous: "A new volume without a name, mounted at {0}.",
    volume_known: "The volume {0}, which exists, mounted at {1}.",
    volume_new: "A volume {0}, which will be made, mounted at {1}.",
    bind: "The host's folder or file {0}, seen from inside as {1}. It is no copy.",
    read_only: "For reading only.",
    env_value: "The variable {0} is “{1}”.",
    env_name: "The variable {0}, with the value that it has on the host.",
    network_now: "The network {0} (driver {1}).",
    no_network: "Just now there is no network {0}.",
    volume_now: "The volume {0}: {1}.",
    no_volume: "Just now there is no volume {0}.",
    no_container: "Just now there is no container {0}.",
    name_free: "The name {0} is free.",
    image: "The image `{0}{2}` of the registry {1}.",
    image_latest: "Without a tag it is `latest`, a name like any other: it need not be the newest.",
    image_here: "It is on this computer ({0}).",
    image_not_here: "It is not on this computer: it is pulled when needed.",
    image_id: "The id of the image {0} ({1}).",
    bad_image: "“{0}” can't be an image's name.",
    path_inside: "The path {0} in the container {1}.",
    path_host: "The path {0} on the host.",
    context: "The context: the folder whose files COPY and ADD can copy. It is sent to the daemon without what .dockerignore excludes.",
    context_stdin: "The Dockerfile, or the whole context as a tar, comes from standard input.",
    service: "The service {0} of the compose file.",
    some_program: "The program `{0}`: it runs if the PATH has a file of that name.",
    some_flag: "The flag `{0}` of `{1}`.",
    assignment: "Gives the variable {0} a value for what follows.",
    variable: "The shell puts the value of {0} here before it runs the command.",
    pattern: "The shell replaces {0} by the names of files that match.",
    substitution: "The shell runs what is inside and puts here what it prints.",
    redirect_target: "The file {0}.",
    exec_form: "Exec form: run as it stands, without a shell; no variables, no patterns.",
    scratch: "The empty image: no layer below. It can't be pulled or run, only built from.",
    stage: "A name for this stage, by which COPY --from and --target call it.",
    copy_from: "What is copied: from the context, or from the stage or image of --from.",
    copy_to: "Where to, inside the image. With a slash at its end it is a folder.",
    container: "The container {0} of the image {1}: {2}.",
    operator: |text| match text {
        "|" => "What the command on the left prints is the input of the one on the right.",
        "&&" => "The next one runs only if this one succeeds (status 0).",
        "||" => "The next one runs only if this one fails.",
        ";" => "First the one, then the other, whatever happens.",
        "&" => "The command goes on in the background and the prompt is back at once.",
        "(" | ")" => "A shell of its own: what changes inside (folder, variables) stays there.",
        "#" => "A comment: the shell passes over it.",
        "<" => "The command's input is this file.",
        "<<" | "<<-" => "Here-document: the input are the lines that follow, up to the word given.",
        "<<<" => "The command's input is this text.",
        "2>&1" => "Errors go where the output goes.",
        text if text.contains(">>") => "The output is added to the end of this file.",
        text if text.starts_with('2') => "Errors go to this file.",
        text if text.contains("&>") => "Output and errors go to this file.",
        text if text.contains('>') => "The output goes to this file, which is emptied before.",
        _ => "",
    },
    instruction: |name| match name {
        "FROM" => "The image to start from: its layers lie below those of this one. Begins a stage.",
        "RUN" => "Runs a command in a container and keeps what changed in a new layer.",
        "COPY" => "Copies files into the image, in a new layer.",
        "ADD" => "Like COPY; it also unpacks local tar archives and takes URLs.",
        "CMD" => "What the container runs unless asked for something else. It only changes the config: no layer.",
        "ENTRYPOINT" => "The program that the container always runs; CMD or what is typed are its arguments. No layer.",
        "ENV" => "An environment variable, in the steps that follow and in containers. No layer.",
        "ARG" => "A variable that exists only during the build and is given by --build-arg.",
        "WORKDIR" => "The working folder of the steps that follow and of containers; made if it is missing.",
        "USER" => "As which user the steps that follow and containers run.",
        "EXPOSE" => "Notes on which port it listens. It publishes nothing: docker run -p does.",
        "VOLUME" => "This path will be a volume in each container: what is written there is not in its layer.",
        "LABEL" => "Data about the image as key=value. No layer.",
        "HEALTHCHECK" => "A command that the daemon repeats to learn whether the container is healthy.",
        "SHELL" => "The shell of RUN, CMD and ENTRYPOINT without brackets.",
        "STOPSIGNAL" => "The signal by which docker stop asks it to end.",
        "ONBUILD" => "An instruction that runs when another image is built from this one.",
        "MAINTAINER" => "The author. Deprecated: use a LABEL.",
        _ => "",
    },
    instruction_flag: |name| match name {
        "--from" => "The stage, image or named context to copy from, instead of the context.",
        "--chown" => "Who owns the files. Changing it later with RUN chown would copy them into another layer.",
        "--chmod" => "The files' permissions.",
        "--link" => "The layer does not depend on those below, and stays cached when they change.",
        "--exclude" => "What is not copied.",
        "--parents" => "The folders of the source paths are kept.",
        "--mount" => "Something mounted during this step only: it does not stay in the layer.",
        "--network" => "The network of this step.",
        "--platform" => "For which system and processor the image is.",
        "--interval" => "How often it is checked.",
        "--timeout" => "How long a check may take.",
        "--retries" => "How many failures in a row make it unhealthy.",
        "--start-period" => "How much time it has to start.",
        "--checksum" => "The digest that the download must have.",
        _ => "",
    },
};
