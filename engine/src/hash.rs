//! The FNV-1a hash: short, the same everywhere, and what GrowthBook's assignment uses.
//!
//! It is no protection against a visitor who wants a certain variant, and is used for nothing that
//! needs one. Parameters: <http://www.isthe.com/chongo/tech/comp/fnv/>.

/// FNV-1a with 32 bits.
pub fn fnv1a_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// Where FNV-1a with 32 bits begins.
pub const FNV_32: u32 = 0x811c_9dc5;

/// A hash with one more UTF-16 code unit.
#[inline]
pub const fn fnv1a_32_unit(hash: u32, unit: u16) -> u32 {
    (hash ^ unit as u32).wrapping_mul(0x0100_0193)
}

/// A hash with the UTF-16 code units of a text, as JavaScript programs hash it.
pub fn fnv1a_32_units(hash: u32, text: &str) -> u32 {
    let mut so_far = hash;
    for byte in text.bytes() {
        if !byte.is_ascii() {
            return text.encode_utf16().fold(hash, fnv1a_32_unit);
        }
        so_far = fnv1a_32_unit(so_far, u16::from(byte));
    }
    so_far
}

/// FNV-1a with 64 bits.
pub fn fnv1a_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of the authors' test program.
    #[test]
    fn known_hashes() {
        assert_eq!(fnv1a_32(b""), 0x811c_9dc5);
        assert_eq!(fnv1a_32(b"foobar"), 0xbf9c_f968);
        assert_eq!(fnv1a_64(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a_64(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
