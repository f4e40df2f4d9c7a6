//! The built edge worker, changed so that it breaks: a trap like any other, at a place of its way that is chosen.
//!
//! Whatever happens in the module is a call of one of its exports: a request, or the continuation of one whose answer,
//! timer or piece of a body is there. Each of these calls is counted, and the n-th of an instance is a trap.

use anyhow::{Context, Result, ensure};
use xtask::wasm_module::{Reader, imported_functions, of_sections, section, sections, write_number};

/// The exports through which requests and what they wait for come into the module.
fn is_counted(export: &str) -> bool {
    matches!(export, "fetch" | "queue" | "intounderlyingsource_pull")
        || export.starts_with("wasm_bindgen__convert__closures")
}

/// The module, in each of whose instances the call of that number traps.
///
/// # Errors
/// When the module is not as it is expected.
pub fn at_call(module: &[u8], number: i32) -> Result<Vec<u8>> {
    let parts = sections(module)?;
    let content = |id: u8| {
        let found = parts.iter().find(|part| part.id == id);
        found.map(|part| part.content).context("a section is missing")
    };
    let parameters = parameters(content(TYPE)?)?;
    let imported = imported_functions(content(section::IMPORT)?)?;
    let types = numbers(content(FUNCTION)?)?;
    let (globals, mut more_globals) = counted(content(GLOBAL)?)?;
    // A number of 32 bits that can change; at first, how many calls are left.
    more_globals.extend_from_slice(&[0x7f, 1, I32_CONST]);
    write_signed(number, &mut more_globals);
    more_globals.push(END);

    let mut exports = Vec::new();
    let mut wrappers: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut reader = Reader(content(EXPORT)?);
    let count = reader.number()?;
    for _ in 0..count {
        let name = reader.text()?;
        let kind = reader.byte()?;
        let mut index = reader.number()?;
        if kind == 0 && is_counted(name) {
            let of_type = *types.get(index - imported).context("an import is exported")?;
            let taken = *parameters.get(of_type).context("no such type")?;
            wrappers.push((of_type, wrapper(index, taken, globals)));
            index = imported + types.len() + wrappers.len() - 1;
        }
        write_number(name.len(), &mut exports);
        exports.extend_from_slice(name.as_bytes());
        exports.push(kind);
        write_number(index, &mut exports);
    }
    ensure!(wrappers.len() > 2, "the module has other exports than expected");

    let (functions, mut more_functions) = counted(content(FUNCTION)?)?;
    let (_, mut more_code) = counted(content(section::CODE)?)?;
    for (of_type, body) in &wrappers {
        write_number(*of_type, &mut more_functions);
        write_number(body.len(), &mut more_code);
        more_code.extend_from_slice(body);
    }
    let functions = functions + wrappers.len();
    let changed = [
        (FUNCTION, with_count(functions, &more_functions)),
        (GLOBAL, with_count(globals + 1, &more_globals)),
        (EXPORT, with_count(count, &exports)),
        (section::CODE, with_count(functions, &more_code)),
    ];
    Ok(of_sections(parts.iter().map(|part| {
        let new = changed.iter().find(|(id, _)| *id == part.id);
        (part.id, new.map_or(part.content, |(_, content)| content))
    })))
}

const TYPE: u8 = 1;
const FUNCTION: u8 = 3;
const GLOBAL: u8 = 6;
const EXPORT: u8 = 7;

const UNREACHABLE: u8 = 0x00;
const IF: u8 = 0x04;
const NOTHING: u8 = 0x40;
const END: u8 = 0x0b;
const CALL: u8 = 0x10;
const LOCAL_GET: u8 = 0x20;
const GLOBAL_GET: u8 = 0x23;
const GLOBAL_SET: u8 = 0x24;
const I32_CONST: u8 = 0x41;
const I32_EQZ: u8 = 0x45;
const I32_SUB: u8 = 0x6b;

/// A function that counts down, traps at zero, and else calls another one with what it got.
fn wrapper(function: usize, parameters: usize, counter: usize) -> Vec<u8> {
    // No locals besides the parameters.
    let mut body = vec![0, GLOBAL_GET];
    write_number(counter, &mut body);
    body.extend_from_slice(&[I32_CONST, 1, I32_SUB, GLOBAL_SET]);
    write_number(counter, &mut body);
    body.push(GLOBAL_GET);
    write_number(counter, &mut body);
    body.extend_from_slice(&[I32_EQZ, IF, NOTHING, UNREACHABLE, END]);
    for parameter in 0..parameters {
        body.push(LOCAL_GET);
        write_number(parameter, &mut body);
    }
    body.push(CALL);
    write_number(function, &mut body);
    body.push(END);
    body
}

/// How many parameters the functions of each type have.
fn parameters(content: &[u8]) -> Result<Vec<usize>> {
    const IS_FUNCTION: u8 = 0x60;
    let mut reader = Reader(content);
    let mut types = Vec::new();
    for _ in 0..reader.number()? {
        ensure!(reader.byte()? == IS_FUNCTION, "a type that is no function's");
        let taken = reader.number()?;
        reader.take(taken)?;
        let given = reader.number()?;
        reader.take(given)?;
        types.push(taken);
    }
    Ok(types)
}

fn numbers(content: &[u8]) -> Result<Vec<usize>> {
    let mut reader = Reader(content);
    (0..reader.number()?).map(|_| reader.number()).collect()
}

/// How many items a section has, and their bytes.
fn counted(content: &[u8]) -> Result<(usize, Vec<u8>)> {
    let mut reader = Reader(content);
    Ok((reader.number()?, reader.0.to_vec()))
}

fn with_count(count: usize, items: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(items.len() + 5);
    write_number(count, &mut content);
    content.extend_from_slice(items);
    content
}

fn write_signed(mut number: i32, bytes: &mut Vec<u8>) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        let is_last = (number == 0 && low & 0x40 == 0) || (number == -1 && low & 0x40 != 0);
        bytes.push(if is_last { low } else { low | 0x80 });
        if is_last {
            return;
        }
    }
}
