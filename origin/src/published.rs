//! A manifest that was published, compiled.

use nearside_engine::compile::{Warning, compile};
use nearside_engine::program::{Program, Scope};
use nearside_engine::value::Value;

/// A manifest that was published, with what follows from it.
#[derive(Clone, Debug)]
pub struct Published {
    /// The program's id; the same bytes have the same id.
    pub id: String,
    /// The program as the edge gets it; empty if nothing was published yet.
    pub bytes: Vec<u8>,
    /// The program.
    pub program: Program,
    /// Identifies what folding with this program keeps of a profile. Programs that differ in other things
    /// only (a text in a page, a weight) have the same one, and profiles need not be folded anew.
    pub folding_id: String,
}

impl Published {
    /// Compiles a manifest.
    pub fn compile(manifest: &Value) -> (Self, Vec<Warning>) {
        let (program, warnings) = compile(manifest);
        let bytes = program.to_bytes();
        let published = Self {
            id: Program::id_of(&bytes),
            folding_id: folding_id(&program),
            bytes,
            program,
        };
        (published, warnings)
    }

    /// What there is before anything was published: a program that keeps and decides nothing.
    pub fn nothing() -> Self {
        let program = Program::default();
        Self {
            id: String::new(),
            bytes: Vec::new(),
            folding_id: folding_id(&program),
            program,
        }
    }

    /// Whether nothing was published yet.
    pub fn is_nothing(&self) -> bool {
        self.bytes.is_empty()
    }
}

fn folding_id(program: &Program) -> String {
    let mut definition = Vec::new();
    for cell in program.cells.iter().filter(|cell| cell.scope == Scope::Visitor) {
        definition.extend(cell.key.to_le_bytes());
    }
    for path in &program.trait_paths {
        for name in path {
            definition.extend(name.as_bytes());
            definition.push(0);
        }
        definition.push(1);
    }
    Program::id_of(&definition)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folding_id_of(manifest: &str) -> String {
        Published::compile(&serde_json::from_str(manifest).unwrap())
            .0
            .folding_id
    }

    #[test]
    fn only_what_a_profile_keeps_changes_the_folding_id() {
        let one = folding_id_of(r#"{"segments":{"a":{"when":{"$events":{"name":"A","in":"visitor"}}}}}"#);
        let renamed = folding_id_of(r#"{"segments":{"b":{"when":{"$events":{"name":"A","in":"visitor"}}}}}"#);
        let session = folding_id_of(
            r#"{"segments":{"a":{"when":{"$events":{"name":"A","in":"visitor"}}},
                "c":{"when":{"$events":{"name":"C"}}}}}"#,
        );
        let other = folding_id_of(r#"{"segments":{"a":{"when":{"$events":{"name":"B","in":"visitor"}}}}}"#);
        assert_eq!(one, renamed);
        assert_eq!(one, session);
        assert_ne!(one, other);
        assert_ne!(one, Published::nothing().folding_id);
    }
}
