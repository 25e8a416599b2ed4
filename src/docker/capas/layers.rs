//! `capas layers`: the stack of an image or container, uppermost layer first, or every layer that is stored.

use bstr::{BString, ByteSlice};

use super::{Capas, Running, Verb, Words, fill, layer_name, size, step};
use crate::docker::daemon::api::layers::StackLayer;

/// `capas layers [IMAGE|CONTAINER]`.
pub const VERB: Verb = Verb {
    name: "layers",
    usage: "[IMAGE|CONTAINER]",
    operands: 0..=1,
    about: Words {
        es: "Las capas de una imagen o de un contenedor, o todas las guardadas",
        en: "The layers of an image or a container, or all that are stored",
    },
    run,
};

const STACK_TITLES: Words =
    Words { es: "Nº|CAPA|TAMAÑO|RUTAS|TAMBIÉN EN|LA HIZO", en: "NO|LAYER|SIZE|PATHS|ALSO IN|MADE BY" };
const ALL_TITLES: Words = Words { es: "CAPA|TAMAÑO|RUTAS|USADA POR|LA HIZO", en: "LAYER|SIZE|PATHS|USED BY|MADE BY" };
const STACK_SUM: Words =
    Words { es: "{}: {} en {}; {} en capas compartidas\n", en: "{}: {} in {}; {} in shared layers\n" };
const ALL_SUM: Words =
    Words { es: "{} en {}; sin compartir ocuparían {}\n", en: "{} in {}; without sharing they would take {}\n" };
const ONE: Words = Words { es: "1 capa", en: "1 layer" };
const MANY: Words = Words { es: "{} capas", en: "{} layers" };
const EMPTY: Words = Words {
    es: "No hay ninguna capa: docker pull trae las primeras\n",
    en: "There are no layers: docker pull brings the first\n",
};
const NOBODY: &str = "-";

fn run<'a>(capas: &'a Capas, operands: &'a [BString]) -> Running<'a> {
    Box::pin(async move {
        let Some(name) = operands.first() else { return capas.print(&all(capas)).await };
        let Some(stack) = capas.daemon.layer_stack(&name.to_str_lossy()) else { return capas.missing(name).await };
        let mut rows = vec![titles(capas, STACK_TITLES)];
        for (at, layer) in stack.layers.iter().enumerate().rev() {
            let others = layer.used_by.iter().filter(|user| **user != stack.name).map(String::as_str);
            let number = (at + 1).to_string();
            rows.push([vec![number], row(capas, layer, others)].concat());
        }
        let total = stack.layers.iter().map(|layer| layer.size_bytes).sum();
        let shared = stack.layers.iter().filter(|layer| layer.used_by.len() > 1).map(|layer| layer.size_bytes).sum();
        let count = count(capas, stack.layers.len());
        let sum = fill(capas.say(STACK_SUM), &[&stack.name, &size(total), &count, &size(shared)]);
        capas.print(&(capas.table(&rows) + &sum)).await
    })
}

fn all(capas: &Capas) -> String {
    let layers = capas.daemon.layers();
    if layers.is_empty() {
        return capas.say(EMPTY).to_owned();
    }
    let mut rows = vec![titles(capas, ALL_TITLES)];
    rows.extend(layers.iter().map(|layer| row(capas, layer, layer.used_by.iter().map(String::as_str))));
    let total: u64 = layers.iter().map(|layer| layer.size_bytes).sum();
    let apart = |layer: &StackLayer| layer.size_bytes.saturating_mul(layer.used_by.len().max(1) as u64);
    let apart: u64 = layers.iter().map(apart).fold(0, u64::saturating_add);
    let sum = fill(capas.say(ALL_SUM), &[&size(total), &count(capas, layers.len()), &size(apart)]);
    capas.table(&rows) + &sum
}

fn count(capas: &Capas, layers: usize) -> String {
    fill(capas.say(if layers == 1 { ONE } else { MANY }), &[&layers.to_string()])
}

fn titles(capas: &Capas, titles: Words) -> Vec<String> {
    capas.say(titles).split('|').map(str::to_owned).collect()
}

fn row<'a>(capas: &Capas, layer: &StackLayer, users: impl Iterator<Item = &'a str>) -> Vec<String> {
    let users: Vec<&str> = users.collect();
    let users = if users.is_empty() { NOBODY.to_owned() } else { users.join(", ") };
    vec![layer_name(capas, layer), size(layer.size_bytes), layer.layer.len().to_string(), users, step(capas, layer)]
}
