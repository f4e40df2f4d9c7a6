//! Affinities: a score for each value of something, of the heaviest values.

use super::spec::{Decay, MAX_AFFINITY_VALUE};
use crate::codec::{Malformed, Reader, Writer};
use crate::decay::{Fading, left_after};
use crate::number::added;
use crate::sort::sort_by;
use crate::time::Timestamp;
use crate::value::Value;

/// So many values more than are read are remembered: a new value is light at first, and must be able to rise.
const SPARE: usize = 8;

/// The memory of an affinity: values with their weights, the heaviest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Affinity {
    weights: Vec<(Value, f64)>,
    /// The instant at which the weights are these.
    at: Timestamp,
}

impl Affinity {
    pub(crate) fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.weights.clear();
        self.at = 0;
    }

    /// The instant at which the newest event happened.
    pub(crate) const fn at(&self) -> Timestamp {
        self.at
    }

    /// The value at a place, the heaviest first; always text.
    pub(crate) fn value(&self, place: usize) -> Option<&Value> {
        self.weights.get(place).map(|(value, _)| value)
    }

    /// The weight of a value, among the `keep` heaviest. Its text is the parts of a path, with points between
    /// them.
    pub(crate) fn weight(&self, name: &[String], keep: usize) -> Option<Fading> {
        let mut heaviest = self.weights.iter().take(keep);
        let found = heaviest.find(|(value, _)| value.as_str().is_some_and(|text| is_joined(text, name)))?;
        Some(Fading {
            value: found.1,
            at: self.at,
        })
    }

    /// Adds an event's points to a value.
    pub(crate) fn add(&mut self, value: &str, time: Timestamp, fitting: u32, decay: &Decay, keep: u8) {
        self.move_to(time, decay.half_life);
        let points = decay.points_of(fitting) * left_after(self.at.saturating_sub(time), decay.half_life);
        let capped = |weight: f64| decay.cap.map_or(weight, |cap| weight.min(cap));
        match self
            .weights
            .iter_mut()
            .find(|(known, _)| known.as_str() == Some(value))
        {
            Some((_, weight)) => *weight = capped(added(*weight, points)),
            None => {
                // The lightest makes room.
                self.weights
                    .truncate((usize::from(keep) + SPARE).saturating_sub(1));
                self.weights.push((Value::from(value), capped(points)));
            }
        }
        self.sort();
    }

    fn move_to(&mut self, time: Timestamp, half_life: i64) {
        if time > self.at {
            let left = left_after(time.saturating_sub(self.at), half_life);
            self.weights.iter_mut().for_each(|(_, weight)| *weight *= left);
            self.at = time;
        }
    }

    fn sort(&mut self) {
        sort_by(&mut self.weights, |(a, a_weight), (b, b_weight)| {
            let heavier = b_weight.total_cmp(a_weight);
            heavier.then_with(|| a.as_str().cmp(&b.as_str())).is_lt()
        });
    }

    /// Takes over what another copy saw: of each value the larger weight, which is right when one side saw all
    /// that the other did.
    pub(crate) fn merge(&mut self, other: &Self, decay: &Decay, keep: u8) {
        self.move_to(other.at, decay.half_life);
        let left = left_after(self.at.saturating_sub(other.at), decay.half_life);
        for (value, weight) in &other.weights {
            let weight = weight * left;
            match self.weights.iter_mut().find(|(known, _)| known == value) {
                Some((_, mine)) => *mine = mine.max(weight),
                None => self.weights.push((value.clone(), weight)),
            }
        }
        self.sort();
        self.weights.truncate(usize::from(keep) + SPARE);
    }

    pub(crate) fn write(&self, writer: &mut Writer, base: Timestamp, limit: usize) {
        let weights = &self.weights[..self.weights.len().min(limit)];
        writer.varint(weights.len() as u64);
        writer.zigzag(base.saturating_sub(self.at));
        for (value, weight) in weights {
            writer.text(value.as_str().unwrap_or_default());
            writer.bytes(&weight.to_bits().to_le_bytes());
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>, base: Timestamp, keep: u8) -> Result<Self, Malformed> {
        let length = reader.length()?;
        let at = base.checked_sub(reader.zigzag()?).ok_or(Malformed)?;
        if length > usize::from(keep) + SPARE || !(0..=1 << 48).contains(&at) {
            return Err(Malformed);
        }
        let mut affinity = Self {
            weights: Vec::with_capacity(length),
            at,
        };
        for _ in 0..length {
            let text = reader.text()?;
            let weight = f64::from_bits(u64::from_le_bytes(reader.array()?));
            if text.len() > MAX_AFFINITY_VALUE || !weight.is_finite() {
                return Err(Malformed);
            }
            affinity.weights.push((Value::from(text), weight));
        }
        affinity.sort();
        Ok(affinity)
    }
}

/// Whether a text is these parts with points between them.
fn is_joined(text: &str, parts: &[String]) -> bool {
    let Some((first, others)) = parts.split_first() else {
        return text.is_empty();
    };
    let rest = text.strip_prefix(first.as_str());
    let rest = others.iter().fold(rest, |rest, part| {
        rest?.strip_prefix('.')?.strip_prefix(part.as_str())
    });
    rest.is_some_and(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::is_joined;

    #[test]
    fn values_with_points_are_parts_of_a_path() {
        let is = |text: &str, parts: &[&str]| {
            let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            assert_eq!(
                text == parts.join("."),
                is_joined(text, &parts),
                "{text} {parts:?}"
            );
        };
        for text in ["", "a", "a.b", "a.b.c", "ab", ".", "a."] {
            for parts in [
                &[][..],
                &["a"],
                &["a", "b"],
                &["a", ""],
                &["", ""],
                &["a", "b", "c"],
                &["ab"],
            ] {
                is(text, parts);
            }
        }
    }
}
