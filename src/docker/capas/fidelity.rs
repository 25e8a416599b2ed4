//! `capas fidelity`: what is simulated, from the tables that run it.

use bstr::BString;

use super::{Capas, Running, Verb, Words, fill};
use crate::base::table::tabulate_with;
use crate::docker::cli::fidelity::{Extent, rows};
use crate::docker::dockerfile::parse::INSTRUCTIONS;

/// `capas fidelity`.
pub const VERB: Verb = Verb {
    name: "fidelity",
    usage: "",
    operands: 0..=0,
    about: Words { es: "Qué se simula de Docker y qué no", en: "What of Docker is simulated, and what is not" },
    run,
};

const TITLES: Words = Words { es: "ORDEN|SE SIMULA", en: "COMMAND|SIMULATED" };
const YES: Words = Words { es: "sí", en: "yes" };
const NO: Words = Words { es: "no: lo dice y falla", en: "no: it says so and fails" };
const WITHOUT: Words = Words { es: "menos {}", en: "all but {}" };
const REST: Words = Words {
    es: "\nInstrucciones de Dockerfile: {}.\nLo que no se simula lo dice y termina con estado 125; nada finge haber funcionado.\n",
    en: "\nInstructions of Dockerfiles: {}.\nWhat is not simulated says so and ends with status 125; nothing pretends to have worked.\n",
};

fn run<'a>(capas: &'a Capas, _: &'a [BString]) -> Running<'a> {
    Box::pin(async move {
        let titles: Vec<String> = capas.say(TITLES).split('|').map(str::to_owned).collect();
        let mut table = vec![titles];
        for row in rows() {
            let told = match &row.extent {
                Extent::Whole => capas.say(YES).to_owned(),
                Extent::Nothing => capas.say(NO).to_owned(),
                Extent::Without(flags) => fill(capas.say(WITHOUT), &[&flags.join(" ")]),
            };
            table.push(vec![row.name, told]);
        }
        // Not cut at the terminal's width: the flags are the point.
        let rest = fill(capas.say(REST), &[&INSTRUCTIONS.join(", ")]);
        capas.print(&(tabulate_with(&table, 0, 3) + &rest)).await
    })
}
