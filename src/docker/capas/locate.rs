//! `capas where`: which layers hold a path, which one is seen, and what hides the others.

use bstr::{BString, ByteSlice};

use super::{Capas, Running, Verb, Words, daemon_names, fill, layer_name, size, step};
use crate::docker::daemon::api::layers::{LayerStack, MountView, StackLayer};
use crate::os::fs::node::{Content, Entry};
use crate::os::fs::stack::{Deed, Fate, Holding, holdings, real_path};

/// `capas where [IMAGE|CONTAINER] PATH`.
pub const VERB: Verb = Verb {
    name: "where",
    usage: "[IMAGE|CONTAINER] PATH",
    operands: 1..=2,
    about: Words {
        es: "Qué capas tienen una ruta, cuál se ve y cuáles tapa",
        en: "Which layers hold a path, which one is seen and which it hides",
    },
    run,
};

const NOWHERE: Words = Words { es: "ninguna capa de {} tiene {}", en: "no layer of {} has {}" };
const NOBODY: Words = Words { es: "ninguna imagen ni contenedor tiene {}", en: "no image or container has {}" };
const REAL: Words = Words { es: "{} está en {} por un enlace\n", en: "{} is at {} because of a link\n" };
const MOUNTED: Words = Words {
    es: "{} es un montaje ({}{}): lo que se ve ahí no está en ninguna capa\n",
    en: "{} is a mount ({}{}): what is seen there is in no layer\n",
};
const TITLES: Words = Words { es: "Nº|CAPA|TIENE||LA HIZO", en: "NO|LAYER|HAS||MADE BY" };
const ALL_TITLES: Words = Words { es: "EN|CAPA|TIENE||LA HIZO", en: "IN|LAYER|HAS||MADE BY" };
const WINS: Words = Words { es: "se ve", en: "seen" };
const MERGED: Words = Words { es: "se ve mezclado", en: "seen, merged" };
const HIDDEN: Words = Words { es: "tapado por {}", en: "hidden by {}" };
const COVERED: Words = Words { es: "tapado por el montaje", en: "covered by the mount" };
const HIDES: Words = Words { es: "tapa lo de abajo", en: "hides what is below" };
const DIR: Words = Words { es: "carpeta", en: "directory" };
const FILE: Words = Words { es: "fichero de {}", en: "file of {}" };
const LINK: Words = Words { es: "enlace a {}", en: "link to {}" };
const HARD_LINK: Words = Words { es: "otro nombre de {}", en: "another name of {}" };
const SPECIAL: Words = Words { es: "fichero especial", en: "special file" };
const WHITEOUT: Words = Words { es: "whiteout de {}", en: "whiteout of {}" };
const OPAQUE: Words = Words { es: "carpeta opaca {}", en: "opaque directory {}" };
const REPLACED: Words = Words { es: "{} ya no es carpeta", en: "{} is no directory any more" };

fn run<'a>(capas: &'a Capas, operands: &'a [BString]) -> Running<'a> {
    Box::pin(async move {
        let (name, path) = match operands {
            [name, path] => (Some(name), path),
            [path] => (None, path),
            _ => return Ok(1),
        };
        let Some(name) = name else { return everywhere(capas, path).await };
        let Some(stack) = capas.daemon.layer_stack(&name.to_str_lossy()) else { return capas.missing(name).await };
        let (real, found) = ask(&stack, path);
        let mut text = String::new();
        if real != *crate::os::fs::stack::relative(path) {
            text.push_str(&fill(capas.say(REAL), &[&path.to_str_lossy(), &absolute(&real)]));
        }
        let covers = |mount: &&MountView| {
            let rest = real.strip_prefix(mount.destination.trim_start_matches('/').as_bytes());
            rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
        };
        let mount = stack.mounts.iter().find(covers);
        if let Some(mount) = mount {
            let source = if mount.source.is_empty() { String::new() } else { format!(" {}", mount.source) };
            text.push_str(&fill(capas.say(MOUNTED), &[&mount.destination, mount.kind, &source]));
        }
        capas.print(&text).await?;
        if found.is_empty() {
            return capas.fail(&fill(capas.say(NOWHERE), &[&stack.name, &absolute(&real)])).await;
        }
        let mut rows = vec![capas.say(TITLES).split('|').map(str::to_owned).collect()];
        for holding in found.iter().rev() {
            let Some(layer) = stack.layers.get(holding.layer) else { continue };
            let mut cells = row(capas, layer, holding);
            if let (Some(fate), Some(_), Fate::Wins) = (cells.get_mut(2), mount, holding.fate) {
                capas.say(COVERED).clone_into(fate);
            }
            rows.push([vec![(holding.layer + 1).to_string()], cells].concat());
        }
        capas.print(&capas.table(&rows)).await
    })
}

/// One line for each image and container that shows the path.
async fn everywhere(capas: &Capas, path: &BString) -> super::Done {
    let mut rows: Vec<Vec<String>> = vec![capas.say(ALL_TITLES).split('|').map(str::to_owned).collect()];
    for stack in daemon_names(&capas.daemon).iter().filter_map(|name| capas.daemon.layer_stack(name)) {
        let (_, found) = ask(&stack, path);
        let seen = found.iter().rev().find(|holding| matches!(holding.fate, Fate::Wins | Fate::Hides));
        if let Some((holding, layer)) = seen.and_then(|seen| Some((seen, stack.layers.get(seen.layer)?))) {
            rows.push([vec![stack.name.clone()], row(capas, layer, holding)].concat());
        }
    }
    if rows.len() == 1 {
        return capas.fail(&fill(capas.say(NOBODY), &[&path.to_str_lossy()])).await;
    }
    capas.print(&capas.table(&rows)).await
}

/// Where the path really is, and who holds it.
fn ask(stack: &LayerStack, path: &BString) -> (BString, Vec<Holding>) {
    let real = stack.layers.last().map(|top| real_path(&top.tree, path)).unwrap_or_default();
    let found = holdings(stack.layers.iter().map(|layer| layer.layer.as_ref()), &real);
    (real, found)
}

fn absolute(path: &[u8]) -> String {
    format!("/{}", path.to_str_lossy())
}

fn row(capas: &Capas, layer: &StackLayer, holding: &Holding) -> Vec<String> {
    let fate = match holding.fate {
        Fate::Wins => capas.say(WINS).to_owned(),
        Fate::Merged => capas.say(MERGED).to_owned(),
        Fate::HiddenBy(layer) => fill(capas.say(HIDDEN), &[&(layer + 1).to_string()]),
        Fate::Hides => capas.say(HIDES).to_owned(),
    };
    let deed = match &holding.deed {
        Deed::Put(entry) => what(capas, entry),
        Deed::HardLink(to) => fill(capas.say(HARD_LINK), &[&absolute(to)]),
        Deed::Whiteout(at) => fill(capas.say(WHITEOUT), &[&absolute(at)]),
        Deed::Opaque(at) => fill(capas.say(OPAQUE), &[&absolute(at)]),
        Deed::Replaced(at) => fill(capas.say(REPLACED), &[&absolute(at)]),
    };
    vec![layer_name(capas, layer), deed, fate, step(capas, layer)]
}

fn what(capas: &Capas, entry: &Entry) -> String {
    match &entry.content {
        Content::File(rope) => fill(capas.say(FILE), &[&size(rope.len())]),
        Content::Dir { .. } => capas.say(DIR).to_owned(),
        Content::Symlink(target) => fill(capas.say(LINK), &[&target.to_str_lossy()]),
        _ => capas.say(SPECIAL).to_owned(),
    }
}
