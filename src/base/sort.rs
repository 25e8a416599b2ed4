//! Sorting in few bytes. The standard library's sort is compiled anew for every type and comparison, three kilobytes each;
//! here one sort of numbers serves all of them: it sorts the places, and then what is sorted is moved there.

use std::cmp::Ordering;

/// Stable sorting of slices; as `sort`, `sort_by` and `sort_by_key` of the standard library.
pub trait Arrange<T> {
    /// Sorts.
    fn arrange(&mut self)
    where
        T: Ord;

    /// Sorts by a comparison.
    fn arrange_by(&mut self, compare: impl FnMut(&T, &T) -> Ordering);

    /// Sorts by a key.
    fn arrange_by_key<K: Ord>(&mut self, key: impl FnMut(&T) -> K);
}

impl<T> Arrange<T> for [T] {
    fn arrange(&mut self)
    where
        T: Ord,
    {
        self.arrange_by(T::cmp);
    }

    fn arrange_by(&mut self, mut compare: impl FnMut(&T, &T) -> Ordering) {
        let mut places: Vec<usize> = (0..self.len()).collect();
        sort_places(&mut places, &mut |a, b| match (self.get(a), self.get(b)) {
            (Some(a), Some(b)) => compare(a, b),
            _ => Ordering::Equal,
        });
        // `places[n]` is where the n-th comes from. Each ring of places is gone round once, so that every item moves once.
        for first in 0..places.len() {
            let mut at = first;
            while let Some(from) = places.get_mut(at).map(|place| std::mem::replace(place, at))
                && from != first
                && from != at
            {
                self.swap(at, from);
                at = from;
            }
        }
    }

    fn arrange_by_key<K: Ord>(&mut self, mut key: impl FnMut(&T) -> K) {
        self.arrange_by(|a, b| key(a).cmp(&key(b)));
    }
}

/// The one sort.
#[inline(never)]
fn sort_places(places: &mut [usize], compare: &mut dyn FnMut(usize, usize) -> Ordering) {
    #[expect(clippy::disallowed_methods, reason = "the one")]
    places.sort_by(|a, b| compare(*a, *b));
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(items: Vec<(u8, u16)>) {
            let mut ours = items.clone();
            ours.arrange_by_key(|item| item.0);
            let mut theirs = items.clone();
            #[expect(clippy::disallowed_methods, reason = "compared with")]
            theirs.sort_by_key(|item| item.0);
            proptest::prop_assert_eq!(ours, theirs);
        }
    }
}
