//! What pieces of lines mean, and what is no command.

use super::*;
use crate::view::picture::tests::World;

/// The pieces of a line as `[text] title`.
fn pieces(line: &str) -> Vec<String> {
    let world = World::default().image("ubuntu:latest", &["u"]).container("instancia1");
    let found = gloss(line, true, &world.picture(), Language::Spanish);
    found.iter().map(|piece| format!("[{}] {}", line.get(piece.range.clone()).unwrap(), piece.title)).collect()
}

fn says(line: &str, word: &str) -> String {
    let world = World::default().image("ubuntu:latest", &["u"]).container("instancia1");
    let at = line.rfind(word).unwrap();
    let found = gloss(line, true, &world.picture(), Language::Spanish);
    let piece = piece_at(&found, at).unwrap_or_else(|| panic!("nothing at {word}: {found:?}"));
    format!("{} / {}", piece.docker, piece.says.join(" "))
}

#[test]
fn every_piece_of_a_run_is_explained() {
    let line = "estudiante@portatil:~$ docker run --rm -ti -p 9003:8003 --name=web ubuntu ls -l / && exit";
    assert_eq!(
        pieces(line),
        [
            "[docker] docker",
            "[run] docker run",
            "[--rm] --rm",
            "[-t] -t, --tty",
            "[i] -i, --interactive",
            "[-p] -p, --publish list",
            "[9003:8003] --publish 9003:8003",
            "[--name=] --name string",
            "[web] --name web",
            "[ubuntu] ubuntu",
            "[ls] ls",
            "[-l] -l",
            "[&&] &&",
            "[exit] exit",
        ]
    );
}

#[test]
fn values_speak_of_this_session() {
    assert!(says("docker run -p 9003:8003 ubuntu", "9003").contains("El puerto 9003 del host lleva al 8003"));
    assert!(says("docker run ubuntu", "ubuntu").contains("library/ubuntu:latest"));
    assert!(says("docker run ubuntu", "ubuntu").contains("Ya está en este equipo"));
    assert!(says("docker pull nginx:1.21", "nginx").contains("No está en este equipo"));
    assert!(says("docker stop instancia1", "instancia1").contains("El contenedor instancia1"));
    assert!(says("docker stop instancia9", "instancia9").contains("no hay ningún contenedor instancia9"));
    assert!(says("docker run --name instancia9 ubuntu", "instancia9").contains("está libre"));
    assert!(says("docker run -v datos:/var/lib:ro x", "datos").contains("Solo para leer"));
    assert!(says("docker cp instancia1:/a .", "instancia1").contains("dentro del contenedor"));
}

#[test]
fn docker_s_own_words_stand_beside_ours() {
    assert_eq!(
        says("docker run --rm x", "--rm"),
        "Automatically remove the container and its associated anonymous volumes when it exits / Borra el contenedor, \
         con su capa de escritura, en cuanto termina."
    );
    assert!(says("docker ps -a", "ps").ends_with("Es lo mismo que `docker container ls`."));
    assert!(says("docker container ls", "ls").ends_with("Es lo mismo que `docker ps`."));
    assert!(says("docker run --nada x", "--nada").contains("no tiene la opción"));
    assert!(says("docker rum", "rum").contains("no tiene ninguna orden"));
}

#[test]
fn prompts_are_told_from_output() {
    assert_eq!(prompt("root@8f1c:/# ls"), Some(13));
    assert_eq!(prompt("/ # ls"), Some(4));
    assert_eq!(prompt("~ $ ls"), Some(4));
    assert_eq!(prompt("$ ls"), Some(2));
    assert_eq!(prompt("CONTAINER ID   IMAGE"), None);
    assert_eq!(prompt("total 12"), None);
    assert_eq!(prompt(""), None);
    assert!(pieces("estudiante@portatil:~$ ").is_empty());
}

#[test]
fn shells_and_dockerfiles_are_explained() {
    assert_eq!(pieces("A=1 sudo ls *.txt > x 2>&1 # fin").len(), 8);
    assert_eq!(
        pieces("docker rm $(docker ps -aq)"),
        [
            "[docker] docker",
            "[rm] docker rm",
            "[$(] $( )",
            "[docker] docker",
            "[ps] docker ps",
            "[-a] -a, --all",
            "[q] -q, --quiet"
        ]
    );
    assert_eq!(pieces("FROM node:10 AS build"), ["[FROM] FROM", "[node:10] node:10", "[AS build] AS build"]);
    assert_eq!(pieces("RUN apt-get update -y"), ["[RUN] RUN", "[apt-get] apt-get", "[-y] -y"]);
    assert_eq!(pieces("COPY --from=build /a /b").len(), 4);
}

proptest::proptest! {
    #[test]
    fn any_line_has_pieces_within_it(line in "(docker |\\$ |RUN )?[-a-z=:/$()'\"\\\\|<>&#*ñ ]{0,60}", command: bool) {
        let picture = World::default().image("ubuntu:latest", &["u"]).picture();
        for piece in gloss(&line, command, &picture, Language::English) {
            proptest::prop_assert!(line.get(piece.range.clone()).is_some_and(|text| !text.is_empty()), "{piece:?}");
        }
    }
}
