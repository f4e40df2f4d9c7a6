//! Ids: random ones, and whether one that a visitor brought can be one of ours.

use nearside_engine::event::MAX_IDENTIFIER;

/// Random bytes; `None` if the runtime has none to give.
pub(crate) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// A random UUID (version 4).
pub(crate) fn uuid() -> Option<String> {
    random::<16>().map(format_uuid)
}

fn format_uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// Whether an id from a cookie can be taken: letters, digits and hyphens, of a sensible length. It is put
/// into headers, pages and addresses.
pub(crate) fn is_visitor_id(id: &str) -> bool {
    (16..=MAX_IDENTIFIER.min(64)).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids() {
        assert_eq!(format_uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let (a, b) = (uuid().unwrap(), uuid().unwrap());
        assert!(is_visitor_id(&a) && a != b);
    }

    #[test]
    fn other_ids() {
        for wrong in [
            "",
            "short",
            "<script>alert(1)</script>",
            "aaaaaaaaaaaaaaaa\r\n",
            &"a".repeat(65),
        ] {
            assert!(!is_visitor_id(wrong), "{wrong}");
        }
    }
}
