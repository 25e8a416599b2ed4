//! `capas waste`: what an image stores and hides, which layer has it and which one hides it, and what would make it smaller.
//!
//! Every saving is that of a build which was done aside; nothing is estimated.

use bstr::{BString, ByteSlice};

use super::{Advice, Capas, Running, Verb, Words, fill, size, step};
use crate::docker::build::recipe::{Fate, Recipe, difference};
use crate::docker::build::remedy::{Cause, Remedy};
use crate::docker::build::waste::{Hidden, How, Waste};
use crate::docker::daemon::api::layers::{LayerRole, LayerStack};

/// `capas waste IMAGE|CONTAINER`.
pub const VERB: Verb = Verb {
    name: "waste",
    usage: "IMAGE|CONTAINER",
    operands: 1..=1,
    about: Words {
        es: "Lo que una imagen guarda y tapa, y qué cambios del Dockerfile la adelgazan",
        en: "What an image stores and hides, and which changes of its Dockerfile make it smaller",
    },
    run,
};

/// Hidden files that are listed; the largest come first.
const MAX_FILES: usize = 60;

const SCORE: Words =
    Words { es: "{}: se ve el {} % de los bytes guardados\n", en: "{}: {} % of the stored bytes are seen\n" };
const SUMS: Words = Words {
    es: "Guarda {}; {} están tapados por capas de encima y viajan igual en cada push y cada pull.\n",
    en: "It stores {}; {} of them are hidden by layers above, and travel with every push and pull.\n",
};
const NONE: Words = Words {
    es: "Todo lo que guarda se ve: ninguna capa tapa ficheros de otra.\n",
    en: "All that it stores is seen: no layer hides files of another.\n",
};
const TITLES: Words = Words { es: "TAMAÑO|FICHERO|LO GUARDA|LO TAPA||CON", en: "SIZE|FILE|STORED BY|HIDDEN BY||WITH" };
const MORE: Words = Words { es: "… y {} ficheros más ({})\n", en: "… and {} more files ({})\n" };
const DELETED: Words = Words { es: "lo borra", en: "deletes it" };
const REPLACED: Words = Words { es: "lo cambia", en: "changes it" };
const COPIED: Words = Words { es: "lo copia igual", en: "copies it as it is" };
const NO_RECIPE: Words = Words {
    es: "Ningún Dockerfile de tu carpeta construye ahora esta misma imagen: se ha cambiado, o la imagen se descargó.\n",
    en: "No Dockerfile in your folder makes this very image now: it was changed, or the image was pulled.\n",
};
const FAILED: Words = Words {
    es: "La hizo {}, pero la construcción de prueba ha fallado.\n",
    en: "{} made it, but the trial build failed.\n",
};
const NO_REMEDY: Words = Words {
    es: "La hizo {}. Ningún cambio conocido la hace más pequeña.\n",
    en: "{} made it. No known change makes it smaller.\n",
};
const REMEDIES: Words = Words { es: "La hizo {}. Para adelgazarla:\n", en: "{} made it. To make it smaller:\n" };
const SAVING: Words = Words { es: "\n{}: {} menos, de {} a {}\n", en: "\n{}: {} less, from {} to {}\n" };
const PACKAGE_CACHE: Words = Words {
    es: "Que la caché del gestor de paquetes no se quede en la capa",
    en: "Keep the package manager's cache out of the layer",
};
const ADDED_THEN_DELETED: Words =
    Words { es: "Borrar en el mismo paso que crea", en: "Delete in the step that creates" };
const CHOWN_COPY: Words =
    Words { es: "Dar el dueño al copiar, no después", en: "Give the owner while copying, not afterwards" };

fn run<'a>(capas: &'a Capas, operands: &'a [BString]) -> Running<'a> {
    Box::pin(async move {
        let Some(name) = operands.first() else { return Ok(1) };
        let Some(stack) = capas.daemon.layer_stack(&name.to_str_lossy()) else { return capas.missing(name).await };
        let waste = Waste::of_stack(&stack);
        // The files are there at once; trials take as long as their commands do.
        capas.print(&told(capas, &stack, &waste)).await?;
        let advice = stack.image.map_or(Advice::NoRecipe, |image| (capas.advise)(image));
        capas.print(&advised(capas, &advice)).await
    })
}

fn told(capas: &Capas, stack: &LayerStack, waste: &Waste) -> String {
    let mut out = fill(capas.say(SCORE), &[&stack.name, &waste.efficiency().to_string()]);
    if waste.hidden.is_empty() {
        out.push_str(capas.say(NONE));
        return out;
    }
    out.push_str(&fill(capas.say(SUMS), &[&size(waste.stored_bytes), &size(waste.hidden_bytes())]));
    let mut rows: Vec<Vec<String>> = vec![capas.say(TITLES).split('|').map(str::to_owned).collect()];
    rows.extend(waste.hidden.iter().take(MAX_FILES).map(|hidden| row(capas, stack, hidden)));
    out.push('\n');
    out.push_str(&capas.table(&rows));
    let rest = waste.hidden.get(MAX_FILES..).unwrap_or_default();
    if !rest.is_empty() {
        let bytes = size(rest.iter().map(|hidden| hidden.bytes).sum());
        out.push_str(&fill(capas.say(MORE), &[&rest.len().to_string(), &bytes]));
    }
    out
}

fn row(capas: &Capas, stack: &LayerStack, hidden: &Hidden) -> Vec<String> {
    let how = match hidden.how {
        How::Deleted => DELETED,
        How::Replaced => REPLACED,
        How::Copied => COPIED,
    };
    let mut own = stack.layers.iter().filter(|layer| matches!(layer.role, LayerRole::Image { .. }));
    let hider = own.nth(hidden.hides).map(|layer| step(capas, layer)).unwrap_or_default();
    let [holds, hides] = [hidden.holds, hidden.hides].map(|layer| (layer + 1).to_string());
    vec![size(hidden.bytes), format!("/{}", hidden.path), holds, hides, capas.say(how).to_owned(), hider]
}

fn advised(capas: &Capas, advice: &Advice) -> String {
    let text = match advice {
        Advice::NoRecipe => capas.say(NO_RECIPE).to_owned(),
        Advice::Failed(recipe) => fill(capas.say(FAILED), &[&recipe.path]),
        Advice::Remedies(recipe, remedies) if remedies.is_empty() => fill(capas.say(NO_REMEDY), &[&recipe.path]),
        Advice::Remedies(recipe, remedies) => {
            let all: String = remedies.iter().map(|one| remedy(capas, recipe, one)).collect();
            fill(capas.say(REMEDIES), &[&recipe.path]) + &all
        }
    };
    format!("\n{text}")
}

fn remedy(capas: &Capas, recipe: &Recipe, remedy: &Remedy) -> String {
    let cause = match remedy.cause {
        Cause::PackageCache => PACKAGE_CACHE,
        Cause::AddedThenDeleted => ADDED_THEN_DELETED,
        Cause::ChownCopy => CHOWN_COPY,
    };
    let [saved, before, after] = [remedy.saved_bytes(), remedy.before_bytes, remedy.after_bytes].map(size);
    let mut out = fill(capas.say(SAVING), &[capas.say(cause), &saved, &before, &after]);
    for (fate, line) in difference(&recipe.text, &remedy.text) {
        let sign = match fate {
            Fate::Kept => ' ',
            Fate::Removed => '-',
            Fate::Added => '+',
        };
        out.push_str(&format!("  {sign} {line}\n"));
    }
    out
}
