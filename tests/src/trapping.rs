//! The built edge worker, changed so that it breaks: a trap like any other, at a place of its way that is chosen.
//!
//! Whatever happens in the module is a call of one of its exports: a request, or the continuation of one whose answer,
//! timer or piece of a body is there. Each of these calls is counted, and the n-th of an instance is a trap.

use std::convert::Infallible;

use anyhow::{Context, Result, ensure};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    Module, ValType,
};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// The exports through which requests, what they wait for, and the pieces of pages come into the module.
fn is_counted(export: &str) -> bool {
    matches!(export, "fetch" | "queue" | "intounderlyingsource_pull")
        || export.starts_with("rewriting_")
        // Its name has a hash or none, as the compiler has it.
        || (export.starts_with("wasm_bindgen") && export.contains("__convert__closures"))
}

/// The module, in each of whose instances the call of that number traps.
///
/// # Errors
/// When the module is not as it is expected.
pub fn at_call(module: &[u8], number: i32) -> Result<Vec<u8>> {
    let trapping = Trapping::of(module, number, is_counted)?;
    ensure!(
        trapping.counted.len() > 2,
        "the module has other exports than expected"
    );
    trapping.changed(module)
}

/// The module, in each of whose instances the call of that number of one export traps.
///
/// # Errors
/// When the module is not as it is expected.
pub fn at_call_of(module: &[u8], export: &str, number: i32) -> Result<Vec<u8>> {
    let trapping = Trapping::of(module, number, |name| name == export)?;
    ensure!(trapping.counted.len() == 1, "the module has no export `{export}`");
    trapping.changed(module)
}

/// An export that is counted: each call of it goes to a new function first, which counts.
struct Counted {
    name: String,
    function: u32,
    of_type: u32,
    parameters: u32,
}

struct Trapping {
    counted: Vec<Counted>,
    /// The index of the first new function.
    first: u32,
    /// The index of the new global: how many calls are left.
    left: u32,
    number: i32,
}

impl Trapping {
    fn of(module: &[u8], number: i32, is_counted: impl Fn(&str) -> bool) -> Result<Self> {
        let (mut types, mut functions, mut imported) = (Vec::new(), Vec::new(), 0);
        let mut trapping = Self {
            counted: Vec::new(),
            first: 0,
            left: 0,
            number,
        };
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    types = section.into_iter_err_on_gc_types().collect::<Result<_, _>>()?;
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(section) => {
                    trapping.first = imported + section.count();
                    functions = section.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::GlobalSection(section) => trapping.left = section.count(),
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.kind != ExternalKind::Func || !is_counted(export.name) {
                            continue;
                        }
                        let place = export.index.checked_sub(imported);
                        let of_type = *place
                            .and_then(|place| functions.get(place as usize))
                            .context("an import is exported")?;
                        let of_types = types.get(of_type as usize).context("no such type")?;
                        trapping.counted.push(Counted {
                            name: export.name.to_owned(),
                            function: export.index,
                            of_type,
                            parameters: u32::try_from(of_types.params().len())?,
                        });
                    }
                }
                _ => {}
            }
        }
        Ok(trapping)
    }

    fn changed(mut self, module: &[u8]) -> Result<Vec<u8>> {
        let mut changed = Module::new();
        self.parse_core_module(&mut changed, Parser::new(0), module)
            .context("no WebAssembly module")?;
        Ok(changed.finish())
    }
}

type Done = Result<(), Error<Infallible>>;

impl Reencode for Trapping {
    type Error = Infallible;

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Done {
        utils::parse_function_section(self, functions, section)?;
        for counted in &self.counted {
            functions.function(counted.of_type);
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Done {
        utils::parse_global_section(self, globals, section)?;
        let kind = GlobalType {
            val_type: ValType::I32,
            mutable: true,
            shared: false,
        };
        globals.global(kind, &ConstExpr::i32_const(self.number));
        Ok(())
    }

    fn parse_export(&mut self, exports: &mut ExportSection, export: wasmparser::Export<'_>) -> Done {
        let place = self
            .counted
            .iter()
            .position(|counted| counted.name == export.name);
        let index = match place {
            Some(place) => self.first + place as u32,
            None => export.index,
        };
        utils::parse_export(self, exports, wasmparser::Export { index, ..export })
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Done {
        utils::parse_code_section(self, code, section)?;
        for counted in &self.counted {
            code.function(&self.counting(counted));
        }
        Ok(())
    }
}

impl Trapping {
    /// A function that counts down, traps at zero, and else calls the export's with what it got.
    fn counting(&self, counted: &Counted) -> Function {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        code.global_get(self.left)
            .i32_const(1)
            .i32_sub()
            .global_set(self.left);
        code.global_get(self.left)
            .i32_eqz()
            .if_(BlockType::Empty)
            .unreachable()
            .end();
        for parameter in 0..counted.parameters {
            code.local_get(parameter);
        }
        code.call(counted.function).end();
        function
    }
}
