//! The rows of a terminal. Of what scrolled away only what is near is drawn; the rest is empty space of the same height.

use std::rc::Rc;

use yew::prelude::*;

use crate::ui::paint;
use crate::view::screen::{Block, Row, Run};
use crate::view::transcript;

use super::style;

/// Rows that are drawn above and below what is seen.
const MARGIN_ROWS: usize = 120;

/// What is marked in rows.
#[derive(Clone, PartialEq, Default)]
pub struct Mark {
    /// What is sought.
    pub needle: AttrValue,
    /// The id of the row that is looked at.
    pub row: Option<u64>,
}

/// What has scrolled away.
#[derive(Properties, PartialEq)]
pub struct PastProps {
    /// All of it.
    pub history: Rc<Vec<Rc<Block>>>,
    /// The number of a row near the top of what is seen; `None` at the end.
    pub near: Option<usize>,
    /// Rows that fit.
    pub fits: usize,
    /// The height of a row in pixels.
    pub row_px: u32,
    /// Screen readers are not to read it.
    pub quiet: bool,
    /// What is marked.
    pub mark: Mark,
}

/// What has scrolled away.
#[function_component]
pub fn Past(props: &PastProps) -> Html {
    let total: usize = props.history.iter().map(|block| block.rows.len()).sum();
    let near = props.near.unwrap_or(total);
    let (first, last) = (near.saturating_sub(MARGIN_ROWS), near + props.fits + MARGIN_ROWS);
    let (mut above, mut at) = (0, 0);
    let mut drawn = Vec::new();
    for block in props.history.iter() {
        let end = at + block.rows.len();
        if end <= first {
            above = end;
        } else if at < last {
            drawn.push(block);
        }
        at = end;
    }
    let below = total - above - drawn.iter().map(|block| block.rows.len()).sum::<usize>();
    let one = |block: &&Rc<Block>| {
        let mark = if props.mark.needle.is_empty() { Mark::default() } else { props.mark.clone() };
        html! { <Part key={block.id} block={Rc::clone(block)} quiet={props.quiet} {mark} /> }
    };
    html! {
        <>
            { space("above", above as u32 * props.row_px) }
            { for drawn.iter().map(one) }
            { space("below", below as u32 * props.row_px) }
        </>
    }
}

/// Empty space. A picture has its height at once and by an attribute: a style would come too late for whoever scrolls to
/// the end, or be refused by a strict content security policy.
fn space(key: &'static str, height_px: u32) -> Html {
    html! { <svg {key} class={style::space} width="1" height={height_px.to_string()} aria-hidden="true"></svg> }
}

#[derive(Properties, PartialEq)]
struct PartProps {
    block: Rc<Block>,
    quiet: bool,
    mark: Mark,
}

#[function_component]
fn Part(props: &PartProps) -> Html {
    html! {
        <div>{ for props.block.rows.iter().map(|row| line(row, props.quiet, &props.mark)) }</div>
    }
}

/// A row.
pub fn line(row: &Rc<Row>, quiet: bool, mark: &Mark) -> Html {
    let here = mark.row == Some(row.id);
    html! { <Line key={row.id} row={Rc::clone(row)} {quiet} needle={mark.needle.clone()} {here} /> }
}

/// One row. Drawn anew only when it is another one.
#[derive(Properties, PartialEq)]
struct LineProps {
    row: Rc<Row>,
    quiet: bool,
    needle: AttrValue,
    here: bool,
}

#[function_component]
fn Line(props: &LineProps) -> Html {
    let row = &props.row;
    html! {
        <div class={classes!(style::row, props.here.then_some(style::here))} data-capas="row"
            data-wrapped={row.wrapped.then_some("")} aria-hidden={props.quiet.then_some("true")}>
            { for row.runs.iter().map(|run| piece(run, &props.needle)) }
        </div>
    }
}

/// A run of text, with ids and what is sought in elements of their own.
fn piece(run: &Run, needle: &str) -> Html {
    let class = paint::classes(run);
    let inner = |text: &str| -> Html {
        if needle.is_empty() {
            return html! { { text.to_owned() } };
        }
        transcript::split(text, needle)
            .into_iter()
            .map(|(found, part)| match found {
                true => html! { <mark class={style::found}>{ part.to_owned() }</mark> },
                false => html! { { part.to_owned() } },
            })
            .collect()
    };
    let parts: Html = match transcript::ids(&run.text).as_slice() {
        [(false, _)] | [] => inner(&run.text),
        parts => parts
            .iter()
            .map(|(is_id, part)| match is_id {
                // The colour of what it names comes from a sheet of styles of its own: see `spot`.
                true => {
                    let short = part.get(..12).unwrap_or(part);
                    html! {
                        <span class={classes!(style::id, format!("i-{short}"))} data-id={(*part).to_owned()}
                            data-spot={short.to_owned()}>{ inner(part) }</span>
                    }
                }
                false => inner(part),
            })
            .collect(),
    };
    if class.is_empty() {
        parts
    } else {
        html! { <span {class}>{ parts }</span> }
    }
}
