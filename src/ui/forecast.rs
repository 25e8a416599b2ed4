//! What a Dockerfile would do if it were built now, beside its lines and below them.

use std::rc::Rc;
use std::time::Duration;

use yew::prelude::*;

use super::editor::style;
use crate::base::size::human_size3;
use crate::docker::daemon::api::build::{LayerSize, MissReason};
use crate::view::forecast::{Forecast, Line, Outcome};
use crate::view::texts::{Language, PanesTexts, fill};

/// Names of files in one reason.
const MAX_NAMES: usize = 3;

/// What stands behind a line of the text, the first being 1: only where its instruction ends.
pub fn behind(texts: &PanesTexts, forecast: &Forecast, number: usize) -> Html {
    let failed = forecast.error.as_ref().filter(|error| error.span.is_some_and(|span| span.end == number));
    let own = forecast.lines.iter().find(|line| line.span.end == number);
    let warned = own.is_some_and(|line| forecast.findings_at(line.span).next().is_some());
    if own.is_none() && failed.is_none() {
        return Html::default();
    }
    html! {
        <span class={style::note}>
            if failed.is_some() {
                <span class={style::miss}>{ format!("✗ {}", texts.would_fail) }</span>
            } else if let Some(line) = own {
                { outcome(texts, line) }
            }
            if warned {
                <span class={style::finding}>{ "⚠" }</span>
            }
        </span>
    }
}

fn outcome(texts: &PanesTexts, line: &Line) -> Html {
    let (class, mut text) = match &line.outcome {
        Outcome::Base { download_bytes: 0 } => (style::hit, format!("✓ {}", texts.is_here)),
        Outcome::Base { download_bytes } => {
            (style::miss, format!("↓ {}", fill(texts.to_download, &[&human_size3(*download_bytes)])))
        }
        Outcome::Hit => (style::hit, format!("✓ {}", texts.cached)),
        Outcome::Miss(why) => (style::miss, format!("● {}", miss(texts, why))),
        Outcome::Config => return Html::default(),
        Outcome::Unused => (style::unused, texts.unused_stage.to_owned()),
        Outcome::NotReached => (style::unused, texts.not_reached.to_owned()),
    };
    match line.size {
        Some(LayerSize::Exact(bytes)) if bytes > 0 => text.push_str(&format!(" · {}", human_size3(bytes))),
        Some(LayerSize::LastTime(bytes)) => text.push_str(&format!(" · ~{}", human_size3(bytes))),
        _ => {}
    }
    if let Some(took) = line.took.filter(|took| *took >= Duration::from_millis(50)) {
        text.push_str(&format!(" · {:.1}s", took.as_secs_f64()));
    }
    html! { <span {class}>{ text }</span> }
}

fn miss(texts: &PanesTexts, why: &MissReason) -> String {
    let names = |names: &[String]| {
        let more = if names.len() > MAX_NAMES { ", …" } else { "" };
        names.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>().join(", ") + more
    };
    match why {
        MissReason::New => texts.miss_new.to_owned(),
        MissReason::Instruction { before } => fill(texts.miss_instruction, &[before]),
        MissReason::Files { changed } => fill(texts.miss_files, &[&names(changed)]),
        MissReason::Parent { span, .. } => fill(texts.miss_parent, &[&span.start.to_string()]),
        MissReason::Environment { changed } => fill(texts.miss_environment, &[&names(changed)]),
        MissReason::Base => texts.miss_base.to_owned(),
        MissReason::Refused => texts.miss_refused.to_owned(),
    }
}

/// What the summary says.
#[derive(Properties, PartialEq)]
pub struct SummaryProps {
    /// The forecast.
    pub forecast: Rc<Forecast>,
    /// The language.
    pub language: Language,
    /// To a line of the text.
    pub on_line: Callback<usize>,
}

/// The sums, what would fail, and what the checks find.
#[function_component]
pub fn Summary(props: &SummaryProps) -> Html {
    let texts = props.language.panes();
    let (forecast, total) = (&props.forecast, &props.forecast.total);
    let row = |number: Option<usize>, class: &'static str, text: String| {
        let on_line = props.on_line.clone();
        html! {
            <li {class}>
                if let Some(number) = number {
                    <button type="button" onclick={Callback::from(move |_: MouseEvent| on_line.emit(number))}>
                        { fill(texts.line, &[&number.to_string()]) }
                    </button>
                }
                { text }
            </li>
        }
    };
    let size = match total.is_complete {
        true => human_size3(total.image_bytes),
        false => format!("≥ {}", human_size3(total.image_bytes)),
    };
    let failure = forecast
        .error
        .as_ref()
        .map(|error| row(error.span.map(|span| span.start), style::failure, format!("✗ {}", error.message)));
    html! {
        <div class={style::summary} role="status" data-capas="forecast">
            if !forecast.lines.is_empty() {
                <p>
                    { fill(texts.forecast, &[&total.hits.to_string(), &total.misses.to_string(), &size]) }
                    if total.download_bytes > 0 {
                        { " · " }{ fill(texts.to_download, &[&human_size3(total.download_bytes)]) }
                    }
                    if total.took >= Duration::from_millis(50) {
                        { format!(" · {:.1}s", total.took.as_secs_f64()) }
                    }
                </p>
            }
            <ul>
                { for failure }
                { for forecast.findings.iter().map(|finding| {
                    let text = format!("⚠ {}: {}", finding.rule, finding.message);
                    row(Some(finding.span.start), style::warning, text)
                }) }
            </ul>
        </div>
    }
}
