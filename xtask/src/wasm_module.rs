//! The worker's WebAssembly module as a file: what its functions are called, and the same module with shorter names.

use std::collections::HashMap;
use std::convert::Infallible;

use anyhow::{Context, Result};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{ImportSection, Module};
use wasmparser::{
    CustomSectionReader, Import, ImportSectionReader, KnownCustom, Name, Parser, Payload, TypeRef,
};

/// A module's bytes, by what they are.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contents<'a> {
    /// The functions in their order, with their names and the bytes of their bodies.
    pub functions: Vec<(String, &'a [u8])>,
    /// What the memory holds at the beginning.
    pub data: Vec<u8>,
    /// Types, imports, exports and tables.
    pub rest: Vec<u8>,
}

/// What a module with names consists of.
///
/// # Errors
/// When the bytes are no module, or one without names.
pub fn contents(module: &[u8]) -> Result<Contents<'_>> {
    let mut contents = Contents::default();
    let mut bodies = Vec::new();
    let mut imported = 0;
    let mut names = HashMap::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        let bytes = payload.as_section().and_then(|(_, range)| {
            let (start, end) = (
                usize::try_from(range.start).ok()?,
                usize::try_from(range.end).ok()?,
            );
            module.get(start..end)
        });
        let rest = &mut contents.rest;
        match payload {
            Payload::CodeSectionEntry(body) => bodies.push(body.as_bytes()),
            Payload::CodeSectionStart { .. } => {}
            Payload::DataSection(_) => contents.data.extend_from_slice(bytes.unwrap_or_default()),
            Payload::CustomSection(section) => names.extend(names_in(&section)?),
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
                rest.extend_from_slice(bytes.unwrap_or_default());
            }
            _ => rest.extend_from_slice(bytes.unwrap_or_default()),
        }
    }
    anyhow::ensure!(!names.is_empty(), "the module has no names");
    // What the module takes from its host has the first indices.
    contents.functions = (imported..)
        .zip(bodies)
        .map(|(index, body)| (names.remove(&index).unwrap_or_default(), body))
        .collect();
    Ok(contents)
}

/// The names of functions that a section has, if it is for that.
fn names_in(section: &CustomSectionReader<'_>) -> Result<Vec<(u32, String)>> {
    let mut found = Vec::new();
    if let KnownCustom::Name(names) = section.as_known() {
        for name in names {
            if let Name::Function(functions) = name? {
                for function in functions {
                    let function = function?;
                    found.push((function.index, function.name.to_owned()));
                }
            }
        }
    }
    Ok(found)
}

/// The module without what its functions are called, which nothing of it needs to run, and with other names for
/// what it takes from its host: `rename` gives them.
///
/// # Errors
/// When the bytes are no module.
pub fn shortened(module: &[u8], rename: impl FnMut(&str) -> String) -> Result<Vec<u8>> {
    let mut short = Module::new();
    Shortening(rename)
        .parse_core_module(&mut short, Parser::new(0), module)
        .context("no WebAssembly module")?;
    Ok(short.finish())
}

struct Shortening<F>(F);

impl<F: FnMut(&str) -> String> Reencode for Shortening<F> {
    type Error = Infallible;

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for import in section.into_imports() {
            let import = import?;
            let name = (self.0)(import.name);
            utils::parse_import(
                self,
                imports,
                Import {
                    name: &name,
                    ..import
                },
            )?;
        }
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        if matches!(section.as_known(), KnownCustom::Name(_)) {
            return Ok(());
        }
        utils::parse_custom_section(self, module, section)
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        CodeSection, EntityType, Function, FunctionSection, Instruction, NameMap, NameSection, TypeSection,
    };

    use super::*;

    /// A module that takes a function and has one, both with names.
    fn module() -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        imports.import("a", "b", EntityType::Function(0));
        let mut functions = FunctionSection::new();
        functions.function(0);
        let mut body = Function::new([]);
        body.instruction(&Instruction::End);
        let mut code = CodeSection::new();
        code.function(&body);
        let mut known = NameMap::new();
        known.append(0, "f");
        known.append(1, "g::");
        let mut names = NameSection::new();
        names.functions(&known);
        let mut module = Module::new();
        module
            .section(&types)
            .section(&imports)
            .section(&functions)
            .section(&code)
            .section(&names);
        module.finish()
    }

    #[test]
    fn functions_have_the_names_behind_the_imports() {
        let module = module();
        let functions = contents(&module).unwrap().functions;
        assert_eq!(functions, [("g::".to_owned(), [0, 0x0b].as_slice())]);
    }

    #[test]
    fn a_shortened_module_has_other_imports_and_no_names() {
        let short = shortened(&module(), |name| format!("{name}{name}")).unwrap();
        assert!(contents(&short).is_err());
        let imported = Parser::new(0)
            .parse_all(&short)
            .find_map(|payload| match payload {
                Ok(Payload::ImportSection(imports)) => imports.into_imports().next(),
                _ => None,
            });
        let imported = imported.unwrap().unwrap();
        assert_eq!((imported.module, imported.name), ("a", "bb"));
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let module = module();
        assert!(contents(&module[..module.len() - 1]).is_err());
        assert!(shortened(b"\0asm", str::to_owned).is_err());
    }
}
