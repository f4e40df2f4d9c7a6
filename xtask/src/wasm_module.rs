//! The worker's WebAssembly module as a file: what its functions are called, and the same module with shorter names.

use std::collections::HashMap;
use std::convert::Infallible;

use anyhow::{Context, Result};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ExportSection, FunctionSection, ImportSection, Module, NameMap, NameSection,
};
use wasmparser::{
    CodeSectionReader, CustomSectionReader, ExportSectionReader, FunctionSectionReader, Import,
    ImportSectionReader, KnownCustom, Name, Parser, Payload, TypeRef,
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
    let imported = imported_functions(module)?;
    let mut names = names(module)?;
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
            Payload::CustomSection(_) => {}
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

/// What a module's functions are called, by their indices.
///
/// # Errors
/// When the bytes are no module.
pub fn names(module: &[u8]) -> Result<HashMap<u32, String>> {
    let mut names = HashMap::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload? {
            names.extend(names_in(&section)?);
        }
    }
    Ok(names)
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

/// The module without some of its exports.
///
/// # Errors
/// When the bytes are no module.
pub fn without_exports(module: &[u8], is_unused: impl Fn(&str) -> bool) -> Result<Vec<u8>> {
    let mut left = Module::new();
    Leaving(is_unused)
        .parse_core_module(&mut left, Parser::new(0), module)
        .context("no WebAssembly module")?;
    Ok(left.finish())
}

struct Leaving<F>(F);

impl<F: Fn(&str) -> bool> Reencode for Leaving<F> {
    type Error = Infallible;

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for export in section {
            let export = export?;
            if !(self.0)(export.name) {
                utils::parse_export(self, exports, export)?;
            }
        }
        Ok(())
    }
}

/// The module with its functions, and their names, in another order: `order` gives the indices of the bodies that it
/// gets in the order that they shall have. Other names, as those of locals, are left out.
///
/// # Errors
/// When the bytes are no module, or one without names.
pub fn reordered(module: &[u8], order: impl FnOnce(&[&[u8]]) -> Vec<usize>) -> Result<Vec<u8>> {
    let functions = contents(module)?.functions;
    let bodies: Vec<&[u8]> = functions.iter().map(|(_, body)| *body).collect();
    let order = order(&bodies);
    let mut places = vec![None; order.len()];
    for (place, &function) in order.iter().enumerate() {
        if let Some(known) = places.get_mut(function) {
            *known = Some(u32::try_from(place)?);
        }
    }
    let places: Option<Vec<u32>> = places.into_iter().collect();
    let places = places.filter(|places| places.len() == functions.len());
    let mut reordering = Reordering {
        imported: imported_functions(module)?,
        order,
        places: places.context("the order has not each function once")?,
    };
    let mut reordered = Module::new();
    reordering
        .parse_core_module(&mut reordered, Parser::new(0), module)
        .context("no WebAssembly module")?;
    Ok(reordered.finish())
}

fn imported_functions(module: &[u8]) -> Result<u32> {
    let mut imported = 0;
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(imports) = payload? {
            for import in imports.into_imports() {
                imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
            }
        }
    }
    Ok(imported)
}

struct Reordering {
    imported: u32,
    order: Vec<usize>,
    /// Where each function of the module is in the order.
    places: Vec<u32>,
}

impl Reordering {
    fn moved(&self, function: u32) -> u32 {
        let index = function.checked_sub(self.imported);
        let place = index.and_then(|index| self.places.get(index as usize));
        place.map_or(function, |place| self.imported + place)
    }

    /// `items`, which are in the module's order, in the new one.
    fn in_order<T: Clone>(&self, items: &[T]) -> Vec<T> {
        self.order
            .iter()
            .filter_map(|&function| items.get(function).cloned())
            .collect()
    }
}

impl Reencode for Reordering {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.moved(function))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let types = section.into_iter().collect::<Result<Vec<u32>, _>>()?;
        for of_type in self.in_order(&types) {
            functions.function(self.type_index(of_type)?);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for body in self.in_order(&bodies) {
            self.parse_function_body(code, body)?;
        }
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let KnownCustom::Name(names) = section.as_known() else {
            return utils::parse_custom_section(self, module, section);
        };
        let mut known = Vec::new();
        for name in names {
            if let Name::Function(functions) = name? {
                for function in functions {
                    let function = function?;
                    known.push((self.moved(function.index), function.name));
                }
            }
        }
        // As the format wants them.
        known.sort_unstable();
        let mut functions = NameMap::new();
        for (function, name) in known {
            functions.append(function, name);
        }
        let mut names = NameSection::new();
        names.functions(&functions);
        module.section(&names);
        Ok(())
    }
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
    use wasm_encoder::{EntityType, ExportKind, Function, Instruction, TypeSection};

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

    /// A module with three functions; each calls the next, with what it is exported as for a name.
    fn calling_each_other() -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        imports.import("a", "b", EntityType::Function(0));
        let (mut functions, mut exports) = (FunctionSection::new(), ExportSection::new());
        let (mut code, mut known) = (CodeSection::new(), NameMap::new());
        for (index, next, name) in [(1, 2, "one"), (2, 3, "two"), (3, 0, "three")] {
            functions.function(0);
            exports.export(name, ExportKind::Func, index);
            let mut body = Function::new([]);
            body.instruction(&Instruction::Call(next));
            body.instruction(&Instruction::End);
            code.function(&body);
            known.append(index, name);
        }
        let mut names = NameSection::new();
        names.functions(&known);
        let mut module = Module::new();
        module
            .section(&types)
            .section(&imports)
            .section(&functions)
            .section(&exports)
            .section(&code)
            .section(&names);
        module.finish()
    }

    #[test]
    fn functions_in_another_order_are_called_and_exported_as_before() {
        let reordered = reordered(&calling_each_other(), |_| vec![2, 0, 1]).unwrap();
        let functions = contents(&reordered).unwrap().functions;
        let call = |index| [0, 0x10, index, 0x0b];
        assert_eq!(
            functions,
            [
                ("three".to_owned(), call(0).as_slice()),
                ("one".to_owned(), call(3).as_slice()),
                ("two".to_owned(), call(1).as_slice()),
            ]
        );
        for payload in Parser::new(0).parse_all(&reordered) {
            if let Payload::ExportSection(exports) = payload.unwrap() {
                let exported = exports.into_iter().map(|export| {
                    let export = export.unwrap();
                    (export.name, export.index)
                });
                assert!(exported.eq([("one", 2), ("two", 3), ("three", 1)]));
            }
        }
    }

    #[test]
    fn exports_are_left_out_by_their_names() {
        let left = without_exports(&calling_each_other(), |name| name == "two").unwrap();
        let mut names = Vec::new();
        for payload in Parser::new(0).parse_all(&left) {
            if let Payload::ExportSection(exports) = payload.unwrap() {
                names.extend(exports.into_iter().map(|export| export.unwrap().name));
            }
        }
        assert_eq!(names, ["one", "three"]);
        assert_eq!(contents(&left).unwrap().functions.len(), 3);
    }

    #[test]
    fn an_order_has_each_function_once() {
        let module = calling_each_other();
        for order in [vec![0, 1], vec![0, 1, 1], vec![0, 1, 2, 3]] {
            assert!(reordered(&module, |_| order).is_err());
        }
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let module = module();
        assert!(contents(&module[..module.len() - 1]).is_err());
        assert!(shortened(b"\0asm", str::to_owned).is_err());
    }
}
