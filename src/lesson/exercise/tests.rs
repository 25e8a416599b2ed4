//! Exercises: what is read, what is refused with its line, what a proof says.

use super::*;

const GOOD: &str = "---
id: uno
title: Uno
level: 1
order: 10
par: 2 commands
---

Prosa con `código`.

## Inicio

```dockerfile path=Dockerfile
FROM scratch
```

```sh
docker pull busybox
```

## Objetivos

```goals
# Hay un contenedor
container uno stopped image busybox
file /a in container uno containing \"x y\"
or file /b in container uno
```

## Preguntas

```question
$ docker run --name uno busybox sh -c 'echo x y > /a'
? ¿Cuántos contenedores habrá?
= containers
* 1
* 2
```

## Pistas

1. Una
   pista larga.
2. Otra.

## Solución

```sh
cat > x <<'FIN'
docker
FIN
docker run --name uno busybox sh -c 'echo x y > /a'
```
";

fn flaws_of(text: &str) -> Vec<(usize, String)> {
    let flaws = Exercise::parse(text).unwrap_err();
    flaws.into_iter().map(|flaw| (flaw.line, flaw.reason.in_language(Language::English))).collect()
}

#[test]
fn an_exercise_is_read() {
    let exercise = Exercise::parse(GOOD).unwrap();
    assert_eq!((exercise.id.as_str(), exercise.level, exercise.order), ("uno", 1, 10));
    assert_eq!(exercise.prose, "Prosa con `código`.");
    assert_eq!(exercise.setup.len(), 2);
    assert_eq!(exercise.hints, ["Una pista larga.", "Otra."]);
    assert_eq!(exercise.solution.first(), Some(&Step::Command("cat > x <<'FIN'\ndocker\nFIN".to_owned())));
    assert_eq!(exercise.goals[0].tell(Language::English), "Hay un contenedor");
    assert_eq!(exercise.questions[0].options, ["1", "2"]);
    assert_eq!(super::super::prove::prove(&exercise), []);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let unknown = flaws_of(&GOOD.replace("container uno stopped", "container uno stoped"));
    assert_eq!(unknown.len(), 1);
    assert!(unknown[0].0 == 25 && unknown[0].1.starts_with("`stoped` makes no sense here"), "{unknown:?}");
    assert_eq!(flaws_of(&GOOD.replace("level: 1", "level: x")), [(4, "`x` is no number".to_owned())]);
    assert_eq!(flaws_of(&GOOD.replace("## Pistas", "## Pista"))[0].0, 40);
    assert_eq!(flaws_of("hola")[0].0, 1);
    assert_eq!(flaws_of(GOOD.trim_end().trim_end_matches('`'))[0].1, "this block is not closed");
}

#[test]
fn a_proof_fails_for_the_right_reason() {
    let reasons = |text: String| -> Vec<String> {
        let exercise = Exercise::parse(&text).unwrap();
        super::super::prove::prove(&exercise).iter().map(|f| f.reason.in_language(Language::English)).collect()
    };
    let solved = reasons(GOOD.replace("docker pull busybox", "docker run --name uno busybox sh -c 'echo x y > /a'"));
    assert_eq!(solved[0], "it is solved at the start");
    let more = reasons(GOOD.replace("> /a'\n```\n", "> /a'\ndocker ps\n```\n").replace("par: 2 commands\n", ""));
    assert!(more.iter().any(|reason| reason.starts_with("it is solved without the last command")), "{more:?}");
    let wrong = reasons(GOOD.replace("* 1\n* 2", "* 2\n* 3"));
    assert_eq!(wrong, ["no option is the answer: 1"]);
    let par = reasons(GOOD.replace("par: 2", "par: 1"));
    assert_eq!(par, ["the solution does not reach `par`: 2 commands, not 1 command"]);
    let unmet = reasons(GOOD.replace("\"x y\"", "\"z\"").replace("or file /b in container uno\n", ""));
    assert_eq!(unmet, ["the solution does not meet “Hay un contenedor”: `/a` is there, but it does not contain `z`"]);
}
