//! Sorting with little code.
//!
//! The standard library's sorts are fast on large lists and take some 5 KB of code for each type of item, which
//! every visitor of a site would have to load. Here lists are short, apart from hostile ones, which must not cost
//! the square of their length either.

/// Shorter lists are sorted by insertion, which keeps the order of equal items.
const SHORT: usize = 16;

/// Sorts so that no item is `less` than the one before it. Equal items keep their order only in lists of up to 16.
pub(crate) fn sort_by<T>(items: &mut [T], less: impl Fn(&T, &T) -> bool) {
    if items.len() <= SHORT {
        for end in 1..items.len() {
            let mut at = end;
            while at > 0 && less(&items[at], &items[at - 1]) {
                items.swap(at, at - 1);
                at -= 1;
            }
        }
        return;
    }
    // Heap sort (J. W. J. Williams, 1964): first a heap with the greatest on top, then one after the other off it.
    for root in (0..items.len() / 2).rev() {
        sift_down(items, root, &less);
    }
    for end in (1..items.len()).rev() {
        items.swap(0, end);
        sift_down(&mut items[..end], 0, &less);
    }
}

fn sift_down<T>(items: &mut [T], mut root: usize, less: &impl Fn(&T, &T) -> bool) {
    loop {
        let mut greatest = root;
        for child in [2 * root + 1, 2 * root + 2] {
            if child < items.len() && less(&items[greatest], &items[child]) {
                greatest = child;
            }
        }
        if greatest == root {
            return;
        }
        items.swap(root, greatest);
        root = greatest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_all_lengths_are_sorted() {
        let mut seed = 1_u32;
        for length in 0..200 {
            let mut items: Vec<u32> = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    seed >> 27
                })
                .collect();
            let mut expected = items.clone();
            expected.sort_unstable();
            sort_by(&mut items, |a, b| a < b);
            assert_eq!(items, expected);
        }
    }

    #[test]
    fn short_lists_keep_the_order_of_equal_items() {
        let mut items: Vec<(u32, u32)> = (0..16).map(|index| (index % 3, index)).collect();
        sort_by(&mut items, |a, b| a.0 < b.0);
        assert!(items.is_sorted());
    }
}
