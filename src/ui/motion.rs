//! Small motion that explains: what arrives slides in, what has to make room glides, what is shared once more lights up.
//!
//! Boxes are known by their `data-flip`. Where each stood is remembered, so that after a change each can start from its
//! old place (FLIP). What arrives comes from where it was before: a layer from the registry, a sealed layer from its
//! container. Files that a container copies up fly from their layer to its writable one; a whiteout flies the other way
//! and covers. Visitors who asked for less motion get none.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use gloo::timers::callback::Timeout;
use js_sys::{Array, Object};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlElement;

use crate::ui::dom;
use crate::view::deeds::{How, Move, Touch};

/// Boxes that are moved at most; a picture larger than that just changes.
const MAX_BOXES: usize = 300;
/// How long a box glides.
const GLIDE_MS: f64 = 320.0;
/// Between one arriving box and the next.
const STAGGER_MS: f64 = 70.0;
/// The longest that a box waits for its turn.
const MAX_STAGGER_MS: f64 = 700.0;
/// How long a file flies between layers.
const FLIGHT_MS: f64 = 900.0;

/// Where each box stood when it was last looked at, and how many use it.
#[derive(Default)]
pub struct Motion {
    boxes: BTreeMap<String, Place>,
    looked: bool,
    played: Option<Rc<Vec<Move>>>,
}

#[derive(Clone, Copy)]
struct Place {
    x: f64,
    y: f64,
    height: f64,
    uses: u32,
}

impl Place {
    fn is_within(&self, sight: &Range<f64>) -> bool {
        self.y < sight.end && self.y + self.height > sight.start
    }
}

impl Motion {
    /// Looks where the boxes in `canvas` stand now and moves them there from where they were.
    ///
    /// All that asks the browser for places comes first: after something was moved, the next question would make it lay out
    /// the page anew.
    pub fn settle(&mut self, canvas: &HtmlElement, moves: &Rc<Vec<Move>>) {
        let found = boxes_of(canvas);
        let still = dom::wants_less_motion() || found.len() > MAX_BOXES || !self.looked;
        let fresh = !self.played.replace(Rc::clone(moves)).is_some_and(|played| Rc::ptr_eq(&played, moves));
        let moves: &[Move] = if fresh && !still { moves } else { &[] };
        let newest = found.iter().rev().find(|found| !self.boxes.contains_key(&found.name));
        if let (Some(newest), true) = (newest, self.looked) {
            show(&newest.element, canvas);
        }
        let flights = moves.iter().enumerate().filter_map(|(at, moved)| match moved {
            Move::Touched(container, touch) => Flight::between(canvas, container, touch, 140.0 * at as f64),
            _ => None,
        });
        let flights: Vec<Flight> = flights.collect();
        let mut arrived = 0;
        if !still {
            // What nobody sees does not move.
            let top = f64::from(canvas.scroll_top());
            let sight = top..top + f64::from(canvas.client_height());
            for Found { element, name, place } in &found {
                let before = self.boxes.get(name);
                if !place.is_within(&sight) && before.is_none_or(|before| !before.is_within(&sight)) {
                    continue;
                }
                match before {
                    Some(before) => {
                        let (dx, dy) = (before.x - place.x, before.y - place.y);
                        if dx.abs() > 1.0 || dy.abs() > 1.0 {
                            glide(element, dx, dy);
                        }
                        let shared = moves.iter().any(|moved| matches!(moved, Move::Shared(chain) if chain == name));
                        if shared || place.uses > before.uses && before.uses > 0 {
                            light_up(element);
                        }
                    }
                    None => {
                        let sealed = moves.iter().find_map(|moved| match moved {
                            Move::Sealed(container, chain) if chain == name => Some(container.clone()),
                            _ => None,
                        });
                        let origin = sealed.or_else(|| element.get_attribute("data-from"));
                        let from = origin.and_then(|origin| self.boxes.get(&origin));
                        let from = from.map(|from| (from.x - place.x, from.y + from.height - place.y));
                        arrive(element, from, STAGGER_MS * f64::from(arrived));
                        arrived += 1;
                    }
                }
            }
        }
        self.boxes = found.into_iter().map(|found| (found.name, found.place)).collect();
        self.looked = true;
        for flight in flights {
            // What is not in sight does not fly.
            let _ = flight.begin(canvas);
        }
    }
}

/// A box and where it stands.
struct Found {
    element: HtmlElement,
    name: String,
    place: Place,
}

fn boxes_of(canvas: &HtmlElement) -> Vec<Found> {
    let Ok(all) = canvas.query_selector_all("[data-flip]") else { return Vec::new() };
    let origin = canvas.get_bounding_client_rect();
    let (left, top) = (origin.left() - f64::from(canvas.scroll_left()), origin.top() - f64::from(canvas.scroll_top()));
    let one = |at| {
        let element = all.item(at)?.dyn_into::<HtmlElement>().ok()?;
        let name = element.get_attribute("data-flip")?;
        // A box that still glides is somewhere else than where it will be: offsets do not see that.
        let rect = element.get_bounding_client_rect();
        let uses = element.get_attribute("data-uses").and_then(|uses| uses.parse().ok()).unwrap_or(0);
        let place = Place { x: rect.left() - left, y: rect.top() - top, height: rect.height(), uses };
        Some(Found { element, name, place })
    };
    (0..all.length()).filter_map(one).collect()
}

/// A file that flies between a lower layer and a container's writable layer.
struct Flight {
    name: String,
    class: &'static str,
    from: String,
    to: String,
    delay_ms: f64,
}

impl Flight {
    fn between(canvas: &HtmlElement, container: &str, touch: &Touch, delay_ms: f64) -> Option<Self> {
        let layer = canvas.query_selector(&format!("[data-layer=\"{}\"]", touch.from.as_deref()?)).ok()??;
        let own = canvas.query_selector(&format!("[data-flip=\"{container}\"]")).ok()??;
        let (up, class) = match touch.how {
            How::CopiedUp(_) => (true, "copied"),
            How::WhitedOut | How::MadeOpaque => (false, "covering"),
            How::Created => return None,
        };
        let origin = canvas.get_bounding_client_rect();
        let place = |element: &web_sys::Element| {
            let rect = element.get_bounding_client_rect();
            let x = rect.left() - origin.left() + f64::from(canvas.scroll_left()) + 18.0;
            let y = rect.top() - origin.top() + f64::from(canvas.scroll_top()) + (rect.height() - 20.0) / 2.0;
            format!("translate({x}px, {y}px)")
        };
        let (lower, upper) = (place(&layer), place(&own));
        let (from, to) = if up { (lower, upper) } else { (upper, lower) };
        let name = touch.path.rsplit('/').next().unwrap_or(&touch.path).to_owned();
        Some(Self { name, class, from, to, delay_ms })
    }

    fn begin(self, canvas: &HtmlElement) -> Option<()> {
        let ghost: HtmlElement = dom::document()?.create_element("span").ok()?.dyn_into().ok()?;
        ghost.set_text_content(Some(&self.name));
        ghost.set_class_name(&format!("ghost {}", self.class));
        ghost.set_attribute("aria-hidden", "true").ok()?;
        canvas.append_child(&ghost).ok()?;
        animate(
            &ghost,
            &[("transform", &self.from), ("opacity", "0.2")],
            &[("transform", &self.to), ("opacity", "1")],
            FLIGHT_MS,
            self.delay_ms,
        );
        dom::set_style(&ghost, "transform", &self.to);
        let life_ms = (FLIGHT_MS + self.delay_ms + 350.0) as u32;
        Timeout::new(life_ms, move || ghost.remove()).forget();
        Some(())
    }
}

fn glide(element: &HtmlElement, dx: f64, dy: f64) {
    let from = format!("translate({dx}px, {dy}px)");
    animate(element, &[("transform", &from)], &[("transform", "none")], GLIDE_MS, 0.0);
}

fn arrive(element: &HtmlElement, from: Option<(f64, f64)>, delay_ms: f64) {
    let (x, y) = from.unwrap_or((0.0, -44.0));
    animate(
        element,
        &[("transform", &format!("translate({x}px, {y}px)")), ("opacity", "0")],
        &[("transform", "none"), ("opacity", "1")],
        if from.is_some() { GLIDE_MS * 2.0 } else { GLIDE_MS * 1.4 },
        delay_ms.min(MAX_STAGGER_MS),
    );
}

fn light_up(element: &HtmlElement) {
    let ring = [("outline", "3px solid var(--accent)"), ("outlineOffset", "2px")];
    let gone = [("outline", "3px solid transparent"), ("outlineOffset", "6px")];
    animate(element, &ring, &gone, 1400.0, 0.0);
}

/// Scrolls to a box, with the tree around it where that fits.
fn show(element: &HtmlElement, canvas: &HtmlElement) {
    // Sideways only the canvas may scroll: the strip of panes on phones is not ours to move.
    let mut around: Option<web_sys::Element> = Some(element.clone().into());
    while let Some(box_around) = around.take() {
        if box_around.client_height() > canvas.client_height() {
            break;
        }
        if box_around.tag_name() == "LI" {
            scroll_down_to(&box_around, canvas);
        }
        around = box_around.parent_element().filter(|parent| !parent.is_same_node(Some(canvas)));
    }
}

fn scroll_down_to(element: &web_sys::Element, canvas: &HtmlElement) {
    let (inner, outer) = (element.get_bounding_client_rect(), canvas.get_bounding_client_rect());
    let (above, below) = (outer.top() + 12.0 - inner.top(), inner.bottom() + 48.0 - outer.bottom());
    if below > 0.0 {
        canvas.set_scroll_top(canvas.scroll_top() + below as i32);
    } else if above > 0.0 {
        canvas.set_scroll_top(canvas.scroll_top() - above as i32);
    }
}

fn animate(element: &HtmlElement, from: &[(&str, &str)], to: &[(&str, &str)], length_ms: f64, delay_ms: f64) {
    let frame = |properties: &[(&str, &str)]| {
        let frame = Object::new();
        for (name, value) in properties {
            dom::set(&frame, name, &JsValue::from_str(value));
        }
        frame
    };
    let frames = Array::of2(&frame(from), &frame(to));
    let timing = Object::new();
    dom::set(&timing, "duration", &length_ms.into());
    dom::set(&timing, "delay", &delay_ms.into());
    dom::set(&timing, "easing", &"cubic-bezier(.2,.8,.2,1)".into());
    dom::set(&timing, "fill", &"backwards".into());
    // web-sys types these options in a way that costs five more of its features.
    if let Ok(animate) = js_sys::Reflect::get(element, &"animate".into())
        && let Some(animate) = animate.dyn_ref::<js_sys::Function>()
    {
        animate.call2(element, &frames, &timing).unwrap_or_default();
    }
}
