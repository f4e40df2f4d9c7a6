//! What is kept in the isolate's memory: a bounded number of bytes, and what was used last stays.

use std::collections::HashMap;

/// Values by their keys; each has the size that it says.
pub(super) struct Memory<V> {
    slots: HashMap<Box<str>, Slot<V>>,
    /// The bytes of all slots.
    held: usize,
    /// Counts uses, to know what was used last.
    uses: u64,
}

struct Slot<V> {
    value: V,
    size: usize,
    used: u64,
}

/// What a key and a slot take besides the value, about.
const OVERHEAD: usize = 128;

impl<V> Memory<V> {
    pub(super) fn new() -> Self {
        Self {
            slots: HashMap::new(),
            held: 0,
            uses: 0,
        }
    }

    /// Finds a value, and notes that it is used.
    pub(super) fn get(&mut self, key: &str) -> Option<&mut V> {
        self.uses += 1;
        let slot = self.slots.get_mut(key)?;
        slot.used = self.uses;
        Some(&mut slot.value)
    }

    /// Keeps a value of `size` bytes; what was used the longest ago makes room. What is larger than the bound is not kept.
    pub(super) fn put(&mut self, key: &str, value: V, size: usize, bound: usize) {
        self.remove(key);
        let size = size + key.len() + OVERHEAD;
        if size > bound {
            return;
        }
        self.make_room(bound - size);
        self.uses += 1;
        self.held += size;
        let used = self.uses;
        self.slots.insert(key.into(), Slot { value, size, used });
    }

    /// Notes that a value has another size now.
    pub(super) fn resize(&mut self, key: &str, size: usize, bound: usize) {
        if let Some(slot) = self.slots.get_mut(key) {
            let size = size + key.len() + OVERHEAD;
            self.held = self.held - slot.size + size;
            slot.size = size;
            self.make_room(bound);
        }
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<V> {
        let slot = self.slots.remove(key)?;
        self.held -= slot.size;
        Some(slot.value)
    }

    /// Removes what was used the longest ago until no more than `bound` bytes are held.
    fn make_room(&mut self, bound: usize) {
        while self.held > bound {
            let oldest = self.slots.iter().min_by_key(|(_, slot)| slot.used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            self.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 1_000 - OVERHEAD - 1;

    #[test]
    fn what_was_used_the_longest_ago_makes_room() {
        let mut memory = Memory::new();
        for key in ["a", "b", "c"] {
            memory.put(key, key, SIZE, 3_000);
        }
        assert!(memory.get("a").is_some());
        memory.put("d", "d", SIZE, 3_000);
        assert!(memory.get("b").is_none());
        for key in ["a", "c", "d"] {
            assert_eq!(memory.get(key).copied(), Some(key));
        }
        assert_eq!(memory.held, 3_000);
    }

    #[test]
    fn it_never_holds_more_than_its_bound() {
        let mut memory = Memory::new();
        memory.put("a", 1, SIZE, 3_000);
        memory.put("big", 2, 3_000, 3_000);
        assert!(memory.get("big").is_none());
        assert!(memory.get("a").is_some());
        memory.put("b", 3, SIZE, 3_000);
        // What grows makes the others go, and itself, if it is too much alone.
        memory.resize("b", SIZE + 1_500, 3_000);
        assert!(memory.get("a").is_none());
        assert!(memory.get("b").is_some());
        memory.resize("b", 5_000, 3_000);
        assert!(memory.get("b").is_none());
        assert_eq!(memory.held, 0);
    }

    #[test]
    fn a_key_that_is_put_again_counts_once() {
        let mut memory = Memory::new();
        memory.put("a", 1, SIZE, 3_000);
        memory.put("a", 2, SIZE, 3_000);
        assert_eq!((memory.get("a").copied(), memory.held), (Some(2), 1_000));
        assert_eq!(memory.remove("a"), Some(2));
        assert_eq!(memory.held, 0);
    }
}
