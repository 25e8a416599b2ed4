//! The words of lessons.

use super::{Count, Language};

/// What lessons say. `{0}`, `{1}` stand for what is put in.
#[derive(Debug)]
pub struct LessonTexts {
    /// Names the pane.
    pub lessons: &'static str,
    /// Names the pane's tab on phones.
    pub lesson: &'static str,
    /// Opens the list.
    pub open: &'static str,
    /// Closes the pane.
    pub close: &'static str,
    /// Back to the list.
    pub all: &'static str,
    /// How many are solved: done and all.
    pub progress: &'static str,
    /// While a file comes.
    pub loading: &'static str,
    /// While the start state is made.
    pub preparing: &'static str,
    /// A file did not come.
    pub not_found: &'static str,
    /// A file can't be read as an exercise.
    pub flawed: &'static str,
    /// A line of a file.
    pub line: &'static str,
    /// In the list.
    pub solved_mark: &'static str,
    /// Above the goals.
    pub goals: &'static str,
    /// A goal that is met, for screen readers.
    pub met: &'static str,
    /// A goal that is not.
    pub not_met: &'static str,
    /// Above a question: the command.
    pub before: &'static str,
    /// Checks an answer by running the command.
    pub run_and_see: &'static str,
    /// What the student writes as an answer.
    pub your_answer: &'static str,
    /// The answer was right.
    pub right: &'static str,
    /// It was not: the answer.
    pub wrong: &'static str,
    /// After the answer was chosen.
    pub now_run: &'static str,
    /// Shows the next hint: which, of how many.
    pub hint: &'static str,
    /// Above the hints.
    pub hints: &'static str,
    /// Shows the solution.
    pub show_solution: &'static str,
    /// Above the solution.
    pub solution: &'static str,
    /// Types the next command of it.
    pub type_next: &'static str,
    /// All of it was typed.
    pub all_typed: &'static str,
    /// Time to pass.
    pub wait: &'static str,
    /// A file to be put there.
    pub put: &'static str,
    /// What is to be beaten: subject, value now, value.
    pub par: &'static str,
    /// The same of commands.
    pub par_commands: &'static str,
    /// The same before there is a value.
    pub par_only: &'static str,
    /// Commands so far.
    pub commands: Count,
    /// All goals are met.
    pub solved: &'static str,
    /// The mark was reached.
    pub reached: &'static str,
    /// It was not.
    pub not_reached: &'static str,
    /// The next exercise: its title.
    pub next: &'static str,
    /// There is none.
    pub finished: &'static str,
    /// Begins anew.
    pub restart: &'static str,
    /// Above the goal's picture.
    pub picture: &'static str,
    /// How to read it.
    pub legend: &'static str,
    /// In both.
    pub there: &'static str,
    /// In the goal only.
    pub missing: &'static str,
    /// In the student's world only.
    pub extra: &'static str,
    /// Otherwise than in the goal.
    pub other: &'static str,
    /// Above the images.
    pub images: &'static str,
    /// Above the containers.
    pub containers: &'static str,
    /// Above the volumes.
    pub volumes: &'static str,
    /// Above the networks.
    pub networks: &'static str,
    /// Keeps the progress in a file.
    pub export: &'static str,
    /// Reads it again.
    pub import: &'static str,
    /// Opens what a student handed in.
    pub open_handed: &'static str,
    /// Opens an exercise of one's own.
    pub open_file: &'static str,
    /// Hands in.
    pub hand_in: &'static str,
    /// Opens handing in of what is not solved.
    pub hand_in_unsolved: &'static str,
    /// What handing in is.
    pub hand_in_why: &'static str,
    /// The student's name.
    pub name: &'static str,
    /// Copies a link.
    pub copy_link: &'static str,
    /// It was copied.
    pub copied: &'static str,
    /// It was not.
    pub not_copied: &'static str,
    /// Saves a file.
    pub save_file: &'static str,
    /// More that one can do.
    pub more: &'static str,
    /// A submission was opened: the student's name.
    pub handed: &'static str,
    /// It solves the lesson.
    pub handed_solved: &'static str,
    /// It does not.
    pub handed_unsolved: &'static str,
    /// It was tampered with: why.
    pub handed_tampered: &'static str,
    /// Its replay does not end.
    pub handed_endless: &'static str,
    /// It can't be read: why.
    pub handed_unreadable: &'static str,
    /// Commands, time, hints.
    pub handed_facts: &'static str,
    /// Its replay goes on: percent.
    pub handed_replaying: &'static str,
    /// There is no such lesson.
    pub handed_unknown: &'static str,
    /// The student saw the solution.
    pub handed_saw_solution: &'static str,
    /// Names the list of commands.
    pub handed_steps: &'static str,
    /// Whose it is, of a link that names nobody.
    pub handed_link: &'static str,
    /// Takes it off the screen.
    pub handed_forget: &'static str,
    /// Shows the machine after a command.
    pub handed_show: &'static str,
    /// The recorder.
    pub record: &'static str,
    /// What it does.
    pub record_why: &'static str,
    /// Begins to record the setup.
    pub record_begin: &'static str,
    /// The same, with what was done so far as setup.
    pub record_from: &'static str,
    /// How much that is.
    pub record_so_far: &'static str,
    /// The student begins here.
    pub record_start: &'static str,
    /// While the setup is recorded.
    pub record_setup: &'static str,
    /// While the solution is recorded.
    pub record_solution: &'static str,
    /// Ends it and shows the file.
    pub record_end: &'static str,
    /// Nothing was done yet.
    pub record_nothing: &'static str,
    /// The machine is another one.
    pub record_lost: &'static str,
    /// While the exercise is proved.
    pub record_proving: &'static str,
    /// It holds.
    pub record_holds: &'static str,
    /// It does not: above the reasons.
    pub record_fails: &'static str,
    /// Proves it again, as the author has it now.
    pub record_prove: &'static str,
    /// The title of what is recorded.
    pub record_title: &'static str,
    /// The file.
    pub record_file: &'static str,
    /// Gives the recording up.
    pub record_cancel: &'static str,
    /// Opens what was recorded.
    pub record_try: &'static str,
}

impl Language {
    /// The texts of lessons.
    pub const fn lesson(self) -> &'static LessonTexts {
        match self {
            Self::Spanish => &SPANISH,
            Self::English => &ENGLISH,
        }
    }
}

static SPANISH: LessonTexts = LessonTexts {
    lessons: "Lecciones",
    lesson: "Lección",
    open: "Lecciones",
    close: "Cerrar las lecciones",
    all: "Todas las lecciones",
    progress: "{0} de {1} resueltas",
    loading: "Abriendo la lección…",
    preparing: "Preparando el equipo…",
    not_found: "La lección no ha llegado. Comprueba la conexión y vuelve a intentarlo.",
    flawed: "Este fichero no es un ejercicio que se pueda abrir:",
    line: "línea {0}: {1}",
    solved_mark: "resuelta",
    goals: "Objetivos",
    met: "cumplido",
    not_met: "pendiente",
    before: "Antes de ejecutar",
    run_and_see: "Ejecutar y comprobar",
    your_answer: "Tu respuesta",
    right: "¡Exacto!",
    wrong: "La respuesta era: {0}.",
    now_run: "Respuesta guardada. Ejecuta la orden y lo sabremos.",
    hint: "Ver pista {0} de {1}",
    hints: "Pistas",
    show_solution: "Ver la solución",
    solution: "Solución",
    type_next: "Escribir la siguiente orden",
    all_typed: "Ya está toda escrita.",
    wait: "esperar {0} s",
    put: "guardar el fichero {0}",
    par: "{0}: {1} · marca: {2}",
    par_commands: "{0} · marca: {1}",
    par_only: "Marca: {0}",
    commands: Count { one: "1 orden", many: "{0} órdenes" },
    solved: "¡Resuelto!",
    reached: "Y has llegado a la marca.",
    not_reached: "Se puede con menos: la marca es {0}.",
    next: "Siguiente: {0}",
    finished: "Era la última. Enhorabuena.",
    restart: "Empezar de nuevo",
    picture: "La meta y lo tuyo, en capas",
    legend: "✓ está · ○ falta · ✕ sobra · ≠ es distinto",
    there: "está",
    missing: "falta",
    extra: "sobra",
    other: "es distinto",
    images: "Imágenes",
    containers: "Contenedores",
    volumes: "Volúmenes",
    networks: "Redes",
    export: "Guardar mi progreso en un fichero",
    import: "Recuperar mi progreso de un fichero",
    open_handed: "Abrir una entrega",
    open_file: "Abrir un ejercicio mío (.md)",
    hand_in: "Entregar",
    hand_in_unsolved: "Entregar sin resolver",
    hand_in_why: "Lo que entregas es todo lo que has tecleado en esta lección, para que pueda repetirse.",
    name: "Tu nombre",
    copy_link: "Copiar el enlace",
    copied: "Enlace copiado.",
    not_copied: "El navegador no deja copiar: guárdalo en un fichero.",
    save_file: "Guardar el fichero",
    more: "Más",
    handed: "Entrega de {0}",
    handed_solved: "Resuelve la lección.",
    handed_unsolved: "No resuelve la lección.",
    handed_tampered: "No vale: {0}.",
    handed_endless: "Su repetición no acaba.",
    handed_unreadable: "No se puede leer: {0}.",
    handed_facts: "{0} · {1} · pistas: {2}",
    handed_replaying: "Repitiendo la entrega… {0} %",
    handed_unknown: "Es de una lección que aquí no está.",
    handed_saw_solution: "vio la solución",
    handed_steps: "Orden por orden",
    handed_link: "Entrega sin nombre",
    handed_forget: "Quitar esta entrega",
    handed_show: "Pulsa una orden para ver el equipo tal como quedó después de ella.",
    record: "Grabar un ejercicio",
    record_why: "Trabaja en la terminal; la página convierte lo que hagas en un ejercicio en Markdown.",
    record_begin: "Empezar en un equipo nuevo",
    record_from: "Seguir en este equipo",
    record_so_far: "Lo que ya has hecho en este equipo ({0}) será la preparación.",
    record_start: "El alumno empieza aquí",
    record_setup: "Grabando la preparación: lo que hagas ahora ya estará hecho cuando llegue el alumno.",
    record_nothing: "Todavía nada.",
    record_lost: "El equipo es otro: lo grabado se ha perdido.",
    record_proving: "Comprobando el ejercicio…",
    record_holds: "Comprobado: sin resolver al empezar, resuelto con su solución, y no sin la última orden.",
    record_fails: "Así no se sostiene:",
    record_prove: "Comprobar",
    record_solution: "Grabando la solución: haz lo que debería hacer el alumno.",
    record_end: "Terminar",
    record_title: "Título",
    record_file: "El ejercicio",
    record_cancel: "Descartar",
    record_try: "Probarlo",
};

static ENGLISH: LessonTexts = LessonTexts {
    lessons: "Lessons",
    lesson: "Lesson",
    open: "Lessons",
    close: "Close the lessons",
    all: "All lessons",
    progress: "{0} of {1} solved",
    loading: "Opening the lesson…",
    preparing: "Getting the computer ready…",
    not_found: "The lesson did not arrive. Check the connection and try again.",
    flawed: "This file is no exercise that can be opened:",
    line: "line {0}: {1}",
    solved_mark: "solved",
    goals: "Goals",
    met: "met",
    not_met: "not yet",
    before: "Before you run",
    run_and_see: "Run and see",
    your_answer: "Your answer",
    right: "Exactly!",
    wrong: "The answer was: {0}.",
    now_run: "Answer noted. Run the command and we will know.",
    hint: "Show hint {0} of {1}",
    hints: "Hints",
    show_solution: "Show the solution",
    solution: "Solution",
    type_next: "Type the next command",
    all_typed: "All of it has been typed.",
    wait: "wait {0} s",
    put: "save the file {0}",
    par: "{0}: {1} · mark: {2}",
    par_commands: "{0} · mark: {1}",
    par_only: "Mark: {0}",
    commands: Count { one: "1 command", many: "{0} commands" },
    solved: "Solved!",
    reached: "And you reached the mark.",
    not_reached: "It can be done with less: the mark is {0}.",
    next: "Next: {0}",
    finished: "That was the last one. Congratulations.",
    restart: "Begin again",
    picture: "The goal and yours, in layers",
    legend: "✓ there · ○ missing · ✕ too much · ≠ different",
    there: "there",
    missing: "missing",
    extra: "too much",
    other: "different",
    images: "Images",
    containers: "Containers",
    volumes: "Volumes",
    networks: "Networks",
    export: "Keep my progress in a file",
    import: "Restore my progress from a file",
    open_handed: "Open a submission",
    open_file: "Open an exercise of mine (.md)",
    hand_in: "Hand in",
    hand_in_unsolved: "Hand in unsolved",
    hand_in_why: "What you hand in is all that you typed in this lesson, so that it can be done again.",
    name: "Your name",
    copy_link: "Copy the link",
    copied: "Link copied.",
    not_copied: "The browser does not let it be copied: save it as a file.",
    save_file: "Save the file",
    more: "More",
    handed: "Handed in by {0}",
    handed_solved: "It solves the lesson.",
    handed_unsolved: "It does not solve the lesson.",
    handed_tampered: "It does not count: {0}.",
    handed_endless: "Its replay does not end.",
    handed_unreadable: "It can't be read: {0}.",
    handed_facts: "{0} · {1} · hints: {2}",
    handed_replaying: "Doing it again… {0} %",
    handed_unknown: "It is of a lesson that is not here.",
    handed_saw_solution: "saw the solution",
    handed_steps: "Command by command",
    handed_link: "Submission without a name",
    handed_forget: "Take this submission away",
    handed_show: "Press a command to see the computer as it was after it.",
    record: "Record an exercise",
    record_why: "Work in the terminal; the page turns what you do into an exercise in Markdown.",
    record_begin: "Begin on a new computer",
    record_from: "Go on with this computer",
    record_so_far: "What you did on this computer so far ({0}) will be the setup.",
    record_start: "The student begins here",
    record_setup: "Recording the setup: what you do now will be done already when the student comes.",
    record_nothing: "Nothing yet.",
    record_lost: "The computer is another one: what was recorded is lost.",
    record_proving: "Proving the exercise…",
    record_holds: "Proved: unsolved at the start, solved by its solution, and not without the last command.",
    record_fails: "It does not hold:",
    record_prove: "Prove",
    record_solution: "Recording the solution: do what the student should do.",
    record_end: "End",
    record_title: "Title",
    record_file: "The exercise",
    record_cancel: "Discard",
    record_try: "Try it",
};
