//! Ids in text: which of those that terminals show are known, and which of the colours of layers they have.
//!
//! What looks like an id is told by [`super::transcript::ids`] from the characters alone, so that a line need not be drawn anew when images
//! come and go: what is known, and its colours, is a sheet of styles ([`sheet`]) that is written when the picture changes.

use std::collections::BTreeMap;

use crate::view::picture::{HUES, Picture, TINTS, tint_of_hex};

/// Digits of a short id.
const SHORT: usize = 12;
/// Ids that a sheet knows at most.
const MAX_IDS: usize = 3000;

/// The ids of a picture and the name under which the picture has what they name, by their first 12 digits.
pub fn known(picture: &Picture) -> BTreeMap<String, String> {
    let mut known = BTreeMap::new();
    let short = |hex: &str| hex.rsplit(':').next().and_then(|hex| hex.get(..SHORT)).map(str::to_owned);
    for slab in picture.slabs() {
        let names = [Some(slab.short.clone()), slab.blob.clone(), short(&slab.chain_id.to_string())];
        for name in names.into_iter().flatten() {
            known.insert(name, slab.short.clone());
        }
    }
    for image in picture.images() {
        known.insert(image.id.short(), image.id.short());
    }
    for container in picture.containers() {
        known.extend(short(&container.fact.id).map(|id| (id.clone(), id)));
    }
    known.into_iter().take(MAX_IDS).collect()
}

/// The style sheet that gives known ids their colours: one rule a colour.
pub fn sheet(known: &BTreeMap<String, String>) -> String {
    let mut by_tint: BTreeMap<u8, Vec<&str>> = BTreeMap::new();
    for (id, name) in known {
        by_tint.entry(tint_of_hex(name)).or_default().push(id);
    }
    let mut out = String::new();
    for (tint, ids) in by_tint {
        let hue = HUES.get(usize::from(tint) % HUES.len()).copied().unwrap_or_default();
        let line = if tint >= TINTS / 2 { "dashed" } else { "solid" };
        let selectors: Vec<String> = ids.iter().map(|id| format!(".i-{id}")).collect();
        out.push_str(&format!(
            "{}{{cursor:pointer;border-radius:3px;color:light-dark(oklch(.47 .13 {hue}),oklch(.82 .11 {hue}));\
             text-decoration:underline {line} 1px;text-underline-offset:3px}}\n",
            selectors.join(",")
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::picture::tests::World;

    #[test]
    fn one_layer_has_one_colour_under_all_its_names() {
        let mut world = World::default().image("a", &["x"]).container("c");
        world.0.layers[0].blob = Some("0123456789ab".to_owned());
        let picture = world.picture();
        let known = known(&picture);
        assert_eq!(known.get("0123456789ab"), Some(&picture.slabs()[0].short));
        assert_eq!(known.len(), 4, "{known:?}");
        assert!(sheet(&known).contains(".i-0123456789ab"));
    }
}
