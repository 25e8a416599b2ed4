//! The few things that components ask of the browser, each in one place, none of which can fail loudly.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, HtmlElement, Storage, UrlSearchParams};
use yew::NodeRef;

/// The window's document.
pub fn document() -> Option<Document> {
    web_sys::window()?.document()
}

/// The element with this id.
pub fn by_id(id: &str) -> Option<Element> {
    document()?.get_element_by_id(id)
}

/// Milliseconds since the page was opened.
pub fn now_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
}

/// Whether a media query holds.
pub fn matches_media(query: &str) -> bool {
    web_sys::window().and_then(|window| window.match_media(query).ok().flatten()).is_some_and(|list| list.matches())
}

/// Whether the visitor asked for less motion.
pub fn wants_less_motion() -> bool {
    let chosen = document().and_then(|document| document.document_element()?.get_attribute("data-motion"));
    chosen.as_deref() == Some("less") || matches_media("(prefers-reduced-motion: reduce)")
}

/// A parameter of the page's address.
pub fn parameter(name: &str) -> Option<String> {
    let search = web_sys::window()?.location().search().ok()?;
    UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

/// The parameters of the page's address, in their order.
pub fn parameters() -> Vec<(String, String)> {
    let search = web_sys::window().and_then(|window| window.location().search().ok()).unwrap_or_default();
    let Ok(parameters) = UrlSearchParams::new_with_str(&search) else { return Vec::new() };
    let entries = js_sys::Array::from(&parameters);
    let text = |pair: &js_sys::Array, at| pair.get(at).as_string().unwrap_or_default();
    entries.iter().map(|pair| js_sys::Array::from(&pair)).map(|pair| (text(&pair, 0), text(&pair, 1))).collect()
}

fn storage() -> Option<Storage> {
    // Absent from file:// pages and where the visitor forbids it.
    web_sys::window()?.local_storage().ok().flatten()
}

/// What was kept under `name` on an earlier visit.
pub fn kept(name: &str) -> Option<String> {
    storage()?.get_item(name).ok().flatten()
}

/// Keeps `value` for later visits, where the browser allows that.
pub fn keep(name: &str, value: &str) {
    if let Some(storage) = storage() {
        storage.set_item(name, value).unwrap_or_default();
    }
}

fn tab_storage() -> Option<Storage> {
    web_sys::window()?.session_storage().ok().flatten()
}

/// What this tab keeps under `name`, also over a reload.
pub fn kept_in_tab(name: &str) -> Option<String> {
    tab_storage()?.get_item(name).ok().flatten()
}

/// Keeps `value` as long as the tab lives, or forgets what it kept.
pub fn keep_in_tab(name: &str, value: Option<&str>) {
    if let Some(storage) = tab_storage() {
        let kept = match value {
            Some(value) => storage.set_item(name, value),
            None => storage.remove_item(name),
        };
        kept.unwrap_or_default();
    }
}

/// What stands behind `#` in the page's address.
pub fn fragment() -> Option<String> {
    let hash = web_sys::window()?.location().hash().ok()?;
    hash.strip_prefix('#').filter(|fragment| !fragment.is_empty()).map(str::to_owned)
}

/// Takes the fragment out of the page's address.
pub fn drop_fragment() {
    if let Some(window) = web_sys::window()
        && let Ok(history) = window.history()
        && let (Ok(path), Ok(search)) = (window.location().pathname(), window.location().search())
    {
        history.replace_state_with_url(&JsValue::NULL, "", Some(&(path + &search))).unwrap_or_default();
    }
}

/// Has the visitor save bytes as a file.
pub fn download(name: &str, bytes: &[u8]) {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    if let Ok(blob) = web_sys::Blob::new_with_u8_array_sequence(&parts)
        && let Ok(address) = web_sys::Url::create_object_url_with_blob(&blob)
        && let Some(link) = document().and_then(|document| document.create_element("a").ok())
    {
        link.set_attribute("href", &address).unwrap_or_default();
        link.set_attribute("download", name).unwrap_or_default();
        let link: HtmlElement = link.unchecked_into();
        link.click();
        // The download has begun by then.
        gloo::timers::callback::Timeout::new(10_000, move || {
            web_sys::Url::revoke_object_url(&address).unwrap_or_default();
        })
        .forget();
    }
}

/// Does something once everything that is being drawn is drawn, before the browser shows it. What asks for places or sizes belongs
/// here: so the browser lays the page out once, not once for each component.
pub fn once_drawn(act: impl FnOnce() + 'static) {
    wasm_bindgen_futures::spawn_local(async move { act() });
}

/// Sets a property of an element's style through the CSSOM, which a strict content security policy allows.
pub fn set_style(element: &HtmlElement, name: &str, value: &str) {
    element.style().set_property(name, value).unwrap_or_default();
}

/// The element behind a reference, once it is drawn.
pub fn html(reference: &NodeRef) -> Option<HtmlElement> {
    reference.cast::<HtmlElement>()
}

/// Gives an element the keyboard without scrolling to it.
pub fn focus(element: &HtmlElement) {
    // web-sys has no dictionary for FocusOptions without an extra feature; one property does.
    let options = js_sys::Object::new();
    set(&options, "preventScroll", &JsValue::TRUE);
    if let Ok(focus) = js_sys::Reflect::get(element, &"focus".into()) {
        let focus: js_sys::Function = focus.into();
        focus.call1(element, &options).unwrap_or_default();
    }
}

/// Has the browser carry out an editing command, as if the visitor had.
pub fn exec(command: &str, value: &str) {
    // Deprecated in the standard and in every browser: there is no other way that undo knows of.
    if let Some(document) = document()
        && let Ok(exec) = js_sys::Reflect::get(&document, &"execCommand".into())
        && let Some(exec) = exec.dyn_ref::<js_sys::Function>()
    {
        exec.call3(&document, &command.into(), &JsValue::FALSE, &value.into()).unwrap_or_default();
    }
}

/// Puts text on the clipboard: through a text area of its own, which works without asking and in sandboxed frames.
pub fn copy_text(text: &str) {
    let Some(area) = document()
        .and_then(|document| document.create_element("textarea").ok())
        .and_then(|area| area.dyn_into::<web_sys::HtmlTextAreaElement>().ok())
    else {
        return;
    };
    let before =
        document().and_then(|document| document.active_element()).and_then(|e| e.dyn_into::<HtmlElement>().ok());
    area.set_value(text);
    if let Some(body) = document().and_then(|document| document.body()) {
        body.append_child(&area).map(drop).unwrap_or_default();
        area.select();
        exec("copy", "");
        area.remove();
    }
    if let Some(before) = before {
        focus(&before);
    }
}

/// Draws the eye to an element for a moment.
pub fn flash(element: &Element) {
    let frame = |width: &str| {
        let frame = js_sys::Object::new();
        set(&frame, "outline", &format!("{width} solid var(--accent)").into());
        set(&frame, "outlineOffset", &"3px".into());
        frame
    };
    let frames = js_sys::Array::of2(&frame("4px"), &frame("0px"));
    if let Ok(animate) = js_sys::Reflect::get(element, &"animate".into())
        && let Some(animate) = animate.dyn_ref::<js_sys::Function>()
    {
        animate.call2(element, &frames, &1_600.into()).unwrap_or_default();
    }
}

/// Scrolls as little as brings an element into sight.
pub fn scroll_into_view(element: &Element) {
    let options = js_sys::Object::new();
    set(&options, "block", &JsValue::from_str("nearest"));
    set(&options, "inline", &JsValue::from_str("nearest"));
    if let Ok(scroll) = js_sys::Reflect::get(element, &"scrollIntoView".into()) {
        let scroll: js_sys::Function = scroll.into();
        scroll.call1(element, &options).unwrap_or_default();
    }
}

/// Sets a property of an object.
pub fn set(object: &js_sys::Object, name: &str, value: &JsValue) {
    js_sys::Reflect::set(object, &name.into(), value).unwrap_or_default();
}
