//! What takes the edge worker's size: its module by the crates whose functions it has.

use anyhow::Result;

use super::gzipped;
use crate::wasm_module::contents;

/// The crates of each part; what is of none is the standard library's.
const PARTS: [(&str, &[&str]); 5] = [
    ("our edge", &["nearside_edge"]),
    ("our engine", &["nearside_engine"]),
    ("our rewriter", &["nearside_rewriter"]),
    (
        "worker, wasm-bindgen",
        &[
            "worker",
            "worker_sys",
            "js_sys",
            "web_sys",
            "wasm_bindgen",
            "wasm_bindgen_futures",
            "wasm_streams",
            "serde_wasm_bindgen",
            "futures_core",
            "futures_util",
            "futures_channel",
        ],
    ),
    (
        "JSON, base64, ciphers, hashes",
        &[
            "serde_json",
            "serde_core",
            "postcard",
            "zmij",
            "base64",
            "chacha20",
            "chacha20poly1305",
            "poly1305",
            "cipher",
            "aead",
            "inout",
            "sha2",
            "hmac",
            "digest",
            "block_buffer",
            "universal_hash",
            "httpdate",
        ],
    ),
];
const STD: &str = "Rust's standard library";

/// A part, as it is and compressed. Parts are compressed one by one, so that their sum is not the whole's size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) part: &'static str,
    pub(super) raw: usize,
    pub(super) compressed: usize,
}

/// The parts of the worker: those of the module, by its copy that has the functions' names, and its scripts.
pub(super) fn parts(named_module: &[u8], scripts: &[u8]) -> Result<Vec<Size>> {
    let mut code: Vec<(&'static str, Vec<u8>)> = PARTS.iter().map(|(part, _)| (*part, Vec::new())).collect();
    code.push((STD, Vec::new()));
    let contents = contents(named_module)?;
    for (name, body) in contents.functions {
        let part = part_of(&name);
        if let Some((_, bytes)) = code.iter_mut().find(|(known, _)| *known == part) {
            bytes.extend_from_slice(body);
        }
    }
    code.push(("data: texts, tables, places of panics", contents.data));
    code.push(("types, imports, exports", contents.rest));
    code.push(("JavaScript", scripts.to_vec()));
    let sizes = code.into_iter().map(|(part, bytes)| {
        Ok(Size {
            part,
            raw: bytes.len(),
            compressed: gzipped(&bytes)?,
        })
    });
    let mut sizes = sizes.collect::<Result<Vec<_>>>()?;
    sizes.sort_by_key(|size| std::cmp::Reverse(size.compressed));
    Ok(sizes)
}

/// The part of a function: by the first crate in its name that is not the standard library's, since what that has for
/// types of ours is ours.
fn part_of(name: &str) -> &'static str {
    if name.contains("wbg_") || name.contains("wbindgen") || name.contains("catch wrapper") {
        return "worker, wasm-bindgen";
    }
    let crates = crates_in(name);
    let of_crate = |name: &str| {
        let found = PARTS.iter().find(|(_, crates)| crates.contains(&name));
        found.map(|(part, _)| *part)
    };
    crates.filter_map(of_crate).next().unwrap_or(STD)
}

/// The first parts of the paths in a name: `<alloc::vec::Vec<engine::Value> as core::fmt::Debug>::fmt` has three.
fn crates_in(name: &str) -> impl Iterator<Item = &str> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let ends = name.match_indices("::").map(|(end, _)| end);
    ends.filter_map(move |end| {
        let before = name.get(..end)?;
        // The new way of mangling writes `core[0123456789abcdef]`.
        let before = before.strip_suffix(']').map_or(before, |open| {
            open.rsplit_once('[').map_or(before, |(before, _)| before)
        });
        let start = before
            .rfind(|character| !is_word(character))
            .map_or(0, |at| at + 1);
        let is_first = !before.get(..start)?.ends_with("::");
        is_first.then(|| before.get(start..)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_of_the_first_crate_that_is_not_the_standard_librarys() {
        for (name, part) in [
            ("nearside_edge::route::handle::{{closure}}::h0123", "our edge"),
            ("<worker::headers::Headers as core::fmt::Debug>::fmt", PARTS[3].0),
            (
                "core::ptr::drop_in_place<alloc::vec::Vec<nearside_engine::value::Value>>",
                "our engine",
            ),
            (
                "core[c5930c85a12de822]::num::flt2dec::strategy::dragon::format_exact",
                STD,
            ),
            ("<f64 as core[c5930c85a12de822]::fmt::Display>::fmt", STD),
            ("__wbg_r2range_free", "worker, wasm-bindgen"),
            ("memcpy", STD),
            ("alloc::my_worker::f", STD),
        ] {
            assert_eq!(part_of(name), part, "{name}");
        }
    }
}
