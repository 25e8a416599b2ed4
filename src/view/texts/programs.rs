//! The programs of the shell, a line each, and the flags of them that one meets every day.

use super::Language;

/// Programs that run the program behind them.
pub const RUNNERS: &[&str] =
    &["sudo", "time", "timeout", "watch", "xargs", "env", "nohup", "exec", "command", "nice", "tini"];

type Line = (&'static str, &'static str, &'static str);

/// The programs that are told of, and `docker`.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROGRAMS.iter().flat_map(|line| line.0.split(' ')).chain(["docker"])
}

/// What a program does.
pub fn about(name: &str, language: Language) -> Option<&'static str> {
    PROGRAMS.iter().find(|line| line.0.split(' ').any(|known| known == name)).map(|line| pick(line, language))
}

/// What a flag of a program does.
pub fn flag(program: &str, flag: &str, language: Language) -> Option<&'static str> {
    let of = |line: &&Line| {
        line.0.split_once(' ').is_some_and(|(owner, flags)| {
            owner.split(',').any(|known| known == program) && flags.split(' ').any(|known| known == flag)
        })
    };
    FLAGS.iter().find(of).map(|line| pick(line, language))
}

const fn pick(line: &Line, language: Language) -> &'static str {
    match language {
        Language::Spanish => line.1,
        Language::English => line.2,
    }
}

static PROGRAMS: &[Line] = &[
    ("apk", "Instala y quita paquetes en Alpine.", "Installs and removes packages on Alpine."),
    (
        "apt apt-get",
        "Instala y quita paquetes en Debian y Ubuntu.",
        "Installs and removes packages on Debian and Ubuntu.",
    ),
    ("apt-cache", "Busca en las listas de paquetes.", "Looks into the lists of packages."),
    ("awk", "Trata texto campo a campo con un pequeño programa.", "Works on text field by field with a small program."),
    ("base64", "Codifica bytes como texto, o al revés.", "Encodes bytes as text, or decodes them."),
    ("bash sh ash dash", "Un shell: lee órdenes y las ejecuta.", "A shell: reads commands and runs them."),
    ("basename", "El último nombre de una ruta.", "The last name of a path."),
    ("capas", "Las imágenes y capas de este simulador, como texto.", "This simulator's images and layers, as text."),
    ("cat", "Imprime ficheros, uno detrás de otro.", "Prints files, one after the other."),
    ("cd", "Cambia de carpeta.", "Changes the folder."),
    ("chmod", "Cambia permisos.", "Changes permissions."),
    ("chown chgrp", "Cambia el dueño o el grupo.", "Changes the owner or the group."),
    ("clear", "Limpia la pantalla.", "Clears the screen."),
    ("cp", "Copia ficheros.", "Copies files."),
    (
        "curl wget",
        "Pide una dirección de la red e imprime o guarda lo que llega.",
        "Asks for an address and prints or saves what comes.",
    ),
    ("cut", "Se queda con unas columnas de cada línea.", "Keeps some columns of each line."),
    ("date", "La fecha y la hora.", "Date and time."),
    ("dd", "Copia bytes a trozos.", "Copies bytes in blocks."),
    ("df", "Cuánto hay libre en cada disco.", "How much is free on each disk."),
    ("diff cmp", "En qué se diferencian dos ficheros.", "How two files differ."),
    ("dirname", "La carpeta de una ruta.", "The folder of a path."),
    ("dpkg", "Los paquetes instalados en Debian y Ubuntu.", "The packages installed on Debian and Ubuntu."),
    ("du", "Cuánto ocupan ficheros y carpetas.", "How much files and folders take."),
    ("echo printf", "Imprime un texto.", "Prints a text."),
    ("edit", "Abre un fichero en el editor de la página.", "Opens a file in the page's editor."),
    (
        "env printenv",
        "Las variables de entorno, o un programa con otras.",
        "The environment, or a program with another one.",
    ),
    (
        "exit",
        "Sale del shell. Si es el proceso principal, el contenedor se para.",
        "Leaves the shell. If it is the main process, the container stops.",
    ),
    ("export", "Pasa una variable a los programas que se ejecuten.", "Hands a variable on to programs that run."),
    ("file", "De qué tipo es un fichero.", "What kind of file it is."),
    ("find", "Busca ficheros por nombre, tipo, tamaño...", "Finds files by name, type, size and more."),
    ("free", "La memoria libre.", "Free memory."),
    ("grep egrep fgrep", "Las líneas que contienen un texto.", "The lines that hold a text."),
    ("gzip gunzip zcat bzip2 bunzip2 xz unxz", "Comprime o descomprime.", "Compresses or decompresses."),
    ("head", "El principio de un fichero.", "The beginning of a file."),
    ("history", "Las órdenes que se escribieron.", "The commands that were typed."),
    (
        "hostname",
        "El nombre de esta máquina; en un contenedor, su id corto.",
        "This machine's name; in a container its short id.",
    ),
    ("id whoami groups", "Con qué usuario se está.", "Which user one is."),
    ("kill pkill killall", "Envía una señal a procesos.", "Sends processes a signal."),
    ("less more", "Muestra un texto página a página. Se sale con q.", "Shows a text page by page. q leaves."),
    (
        "ln",
        "Otro nombre para un fichero: enlace duro o simbólico.",
        "Another name for a file: a hard or symbolic link.",
    ),
    ("ls", "La lista de ficheros de una carpeta.", "The files of a folder."),
    ("mkdir", "Crea carpetas.", "Makes folders."),
    ("mktemp", "Crea un fichero temporal.", "Makes a temporary file."),
    ("mount", "Lo que está montado, y dónde.", "What is mounted where."),
    ("mv", "Mueve o cambia de nombre.", "Moves or renames."),
    ("nano vi vim", "Un editor de textos.", "A text editor."),
    ("nginx", "Un servidor web.", "A web server."),
    ("node npm npx", "JavaScript fuera del navegador.", "JavaScript outside of the browser."),
    ("ping", "Pregunta a otra máquina si responde.", "Asks another machine whether it answers."),
    (
        "ps top",
        "Los procesos. Dentro de un contenedor solo se ven los suyos.",
        "Processes. In a container only its own are seen.",
    ),
    ("pgrep pidof", "Los números de los procesos con un nombre.", "The numbers of the processes with a name."),
    ("pwd", "En qué carpeta se está.", "Which folder one is in."),
    ("readlink realpath", "Adónde lleva un enlace.", "Where a link leads."),
    (
        "rm",
        "Borra ficheros. En un contenedor, tapa con un whiteout los que son de la imagen.",
        "Deletes files. In a container a whiteout hides those of the image.",
    ),
    ("rmdir", "Borra carpetas vacías.", "Deletes empty folders."),
    ("sed", "Cambia texto línea a línea.", "Changes text line by line."),
    (
        "bc expr factor",
        "Cuentan: una calculadora, una expresión, los factores primos.",
        "They reckon: a calculator, an expression, prime factors.",
    ),
    (
        "column paste comm fold split",
        "Juntan, comparan, parten y colocan líneas.",
        "Put lines together, compare, break and lay them out.",
    ),
    (
        "ip ifconfig route",
        "Las interfaces, direcciones y rutas. En un contenedor, las de sus redes.",
        "Interfaces, addresses and routes; in a container those of its networks.",
    ),
    (
        "jq",
        "Elige y transforma datos JSON, como los de docker inspect.",
        "Picks and transforms JSON, such as what docker inspect prints.",
    ),
    ("md5sum sha1sum sha512sum cksum", "Resúmenes de un fichero.", "Digests of a file."),
    (
        "nc telnet",
        "Conecta la entrada y la salida con un puerto, o espera a que llamen.",
        "Connects input and output to a port, or waits for a caller.",
    ),
    ("netstat ss", "Qué puertos escuchan.", "Which ports are listened on."),
    (
        "nohup setsid nice flock",
        "Arrancan otro programa de una manera particular.",
        "Start another program in a particular way.",
    ),
    (
        "nslookup dig host",
        "Pregunta al DNS; en una red propia, los nombres son los contenedores.",
        "Asks the DNS; on a network of one's own containers are names.",
    ),
    (
        "od hexdump xxd strings",
        "Los bytes de un fichero, en cifras o solo los textos.",
        "A file's bytes in figures, or only its texts.",
    ),
    ("pstree", "Los procesos como árbol.", "Processes as a tree."),
    ("service", "Arranca, para o mira un servicio de Debian.", "Starts, stops or looks at one of Debian's services."),
    ("su", "Otra sesión como otro usuario.", "Another session as another user."),
    ("seq", "Una serie de números.", "A row of numbers."),
    ("set", "Cambia cómo se comporta el shell.", "Changes how the shell behaves."),
    (
        "sha256sum",
        "El SHA-256 de un fichero: el mismo resumen con el que se nombran capas e imágenes.",
        "A file's SHA-256: the digest by which layers and images are named.",
    ),
    ("sleep", "Espera unos segundos.", "Waits some seconds."),
    ("sort", "Ordena líneas.", "Sorts lines."),
    ("source .", "Ejecuta un fichero en este mismo shell.", "Runs a file in this very shell."),
    ("stat", "Todo sobre un fichero: permisos, dueño, fechas.", "All about a file: permissions, owner, times."),
    ("sudo", "Ejecuta una orden como root.", "Runs a command as root."),
    ("tail", "El final de un fichero.", "The end of a file."),
    ("tar", "Empaqueta y desempaqueta. Una capa es un tar.", "Packs and unpacks. A layer is a tar."),
    ("tee", "Guarda en un fichero lo que pasa, y lo deja pasar.", "Saves what passes by in a file, and lets it pass."),
    ("test [ [[", "Comprueba una condición.", "Tests a condition."),
    ("time", "Cuánto tarda una orden.", "How long a command takes."),
    ("timeout", "Mata una orden que tarda demasiado.", "Kills a command that takes too long."),
    ("touch", "Crea un fichero vacío, o le pone la hora.", "Makes an empty file, or sets its time."),
    ("tr", "Cambia unas letras por otras.", "Replaces letters by others."),
    ("tree", "Carpetas y ficheros como un árbol.", "Folders and files as a tree."),
    ("true false", "Acaba bien, o mal, sin hacer nada.", "Succeeds, or fails, doing nothing."),
    ("uname", "El núcleo. Los contenedores comparten el del host.", "The kernel. Containers share the host's."),
    ("uniq", "Quita líneas repetidas que van seguidas.", "Leaves out repeated lines."),
    ("watch", "Repite una orden cada dos segundos.", "Repeats a command every two seconds."),
    ("wc", "Cuenta líneas, palabras y bytes.", "Counts lines, words and bytes."),
    ("which type", "Qué fichero se ejecuta con un nombre.", "Which file runs under a name."),
    ("xargs", "Hace argumentos con lo que lee.", "Makes arguments of what it reads."),
];

static FLAGS: &[Line] = &[
    ("apt,apt-get,apk,yum -y --yes", "Sin preguntar.", "Without asking."),
    (
        "apt,apt-get --no-install-recommends",
        "Solo lo imprescindible: menos megabytes en la capa.",
        "Only what is needed: fewer megabytes in the layer.",
    ),
    (
        "apk --no-cache",
        "Sin dejar las listas de paquetes en la capa.",
        "Without leaving the lists of packages in the layer.",
    ),
    ("apt,apt-get,curl,grep -q --quiet", "Sin imprimir.", "Without printing."),
    (
        "bash,sh,ash,dash -c",
        "Ejecuta la orden que sigue en lugar de leerlas.",
        "Runs the command that follows instead of reading them.",
    ),
    ("bash,sh,set -e", "Se para en la primera orden que falla.", "Stops at the first command that fails."),
    ("bash,sh,set -x", "Imprime cada orden antes de ejecutarla.", "Prints each command before it runs."),
    ("cat -n", "Con números de línea.", "With line numbers."),
    ("chmod,chown,chgrp,grep -R", "Con todo lo que hay dentro.", "With all that is inside."),
    ("cp,rm,grep -r", "Con todo lo que hay dentro.", "With all that is inside."),
    (
        "cp -a",
        "Con todo y conservando dueños, permisos y fechas.",
        "With everything, keeping owners, permissions and times.",
    ),
    (
        "cp,mkdir -p",
        "Conserva dueños y fechas; en mkdir, crea también las de encima.",
        "Keeps owners and times; mkdir makes the parents too.",
    ),
    ("curl -f --fail", "Un error del servidor es un error.", "An error of the server is an error."),
    ("curl -I --head", "Solo las cabeceras.", "Only the headers."),
    ("curl -L --location", "Sigue las redirecciones.", "Follows redirects."),
    ("curl,wget -O", "Guarda en un fichero.", "Saves to a file."),
    ("curl,sort -o", "Escribe en este fichero.", "Writes to this file."),
    ("curl -s --silent", "Sin barra de avance.", "Without a progress bar."),
    ("curl -X --request", "Qué método: GET, POST...", "Which method: GET, POST and so on."),
    ("cut -d --delimiter", "Qué separa las columnas.", "What separates columns."),
    ("cut -f --fields", "Qué columnas.", "Which columns."),
    ("df,du,ls,free -h --human-readable", "Tamaños para personas: K, M, G.", "Sizes for people: K, M, G."),
    ("du -s --summarize", "Solo el total.", "Only the total."),
    ("echo -e", "Entiende \\n, \\t y demás.", "Understands \\n, \\t and the like."),
    ("echo -n", "Sin fin de línea.", "Without the end of the line."),
    ("find -name", "Por nombre, con comodines.", "By name, with patterns."),
    ("find -type", "f ficheros, d carpetas, l enlaces.", "f files, d folders, l links."),
    ("find -exec", "Ejecuta una orden con cada uno.", "Runs a command with each."),
    ("grep,sort -i", "Da igual mayúscula que minúscula.", "Capitals do not count."),
    ("grep -c", "Solo cuántas.", "Only how many."),
    ("grep -n", "Con números de línea.", "With line numbers."),
    ("grep -v", "Las que no.", "Those that do not."),
    ("grep,sed -E", "Expresiones regulares extendidas.", "Extended regular expressions."),
    ("head,tail -n", "Cuántas líneas.", "How many lines."),
    ("head,tail,cut -c", "Cuántos bytes o qué caracteres.", "How many bytes, or which characters."),
    ("ln -s", "Enlace simbólico: apunta a una ruta.", "A symbolic link: it points to a path."),
    ("ls -a --all", "También los que empiezan por punto.", "Those that begin with a dot too."),
    ("ls -A", "También los que empiezan por punto, sin . ni ..", "Those that begin with a dot too, without . and .."),
    ("ls,tree -l", "Permisos, dueño, tamaño y fecha.", "Permissions, owner, size and time."),
    ("ls,tree,rm -d", "La carpeta misma, no lo que hay dentro.", "The folder itself, not what is in it."),
    ("ls -t", "Los más recientes primero.", "The newest first."),
    ("ls -R", "Y lo de dentro.", "And what is inside."),
    ("ls,sort -r", "Al revés.", "Reversed."),
    ("ls -S", "Los más grandes primero.", "The biggest first."),
    ("ls -i", "Con el número de inodo.", "With the number of the inode."),
    ("ps -e", "Los de todos.", "Everybody's."),
    ("ps -f", "Con más columnas.", "With more columns."),
    ("rm,cp,mv,ln -f --force", "Sin preguntar ni quejarse.", "Without asking or complaining."),
    (
        "sed -i --in-place",
        "Cambia el fichero mismo. En un contenedor se copia antes a su capa.",
        "Changes the file itself. In a container it is copied up first.",
    ),
    ("sed -n", "Solo lo que se pide imprimir.", "Only what is told to be printed."),
    ("sort -n", "Como números.", "As numbers."),
    ("sort -u", "Sin repetidas.", "Without repetitions."),
    ("sort -h", "Como tamaños: 2K antes que 1M.", "As sizes: 2K before 1M."),
    ("sort -k", "Por qué columna.", "By which column."),
    ("tail -f --follow", "Sigue imprimiendo lo que llegue.", "Goes on printing what comes."),
    ("tar -c --create", "Empaqueta.", "Packs."),
    ("tar -x --extract", "Desempaqueta.", "Unpacks."),
    ("tar -t --list", "Solo la lista.", "Only the list."),
    (
        "tar -f --file",
        "Con qué archivo (- es la entrada o la salida).",
        "With which archive (- is the input or output).",
    ),
    ("tar,cp,rm,mv -v --verbose", "Dice lo que hace.", "Says what it does."),
    ("tar -z --gzip", "Con gzip.", "With gzip."),
    ("tar -j --bzip2", "Con bzip2.", "With bzip2."),
    ("tar -J --xz", "Con xz.", "With xz."),
    ("tar -C --directory", "En esta carpeta.", "In this folder."),
    ("tr -d", "Las quita.", "Deletes them."),
    ("uname -a --all", "Todo.", "Everything."),
    ("uname -r", "La versión del núcleo.", "The kernel's version."),
    ("uniq -c", "Con cuántas veces.", "With how often."),
    ("wc -l", "Solo líneas.", "Only lines."),
    ("wc -c", "Solo bytes.", "Only bytes."),
];
