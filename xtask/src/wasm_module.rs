//! WebAssembly modules as files: their sections, and what their functions are called.

use anyhow::{Context, Result, ensure};

/// The numbers of the sections that are read here.
pub mod section {
    /// Whatever tools add: names, for one.
    pub const CUSTOM: u8 = 0;
    /// What the module takes from its host.
    pub const IMPORT: u8 = 2;
    /// The functions' bodies.
    pub const CODE: u8 = 10;
    /// What the memory holds at the beginning.
    pub const DATA: u8 = 11;
}

const HEADER: &[u8] = b"\0asm\x01\0\0\0";

/// A part of a module.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a> {
    /// What kind it is; see [`section`].
    pub id: u8,
    /// Its bytes, without number and length.
    pub content: &'a [u8],
}

/// The sections of a module.
///
/// # Errors
/// When the bytes are no module.
pub fn sections(module: &[u8]) -> Result<Vec<Section<'_>>> {
    let mut reader = Reader(module.strip_prefix(HEADER).context("no WebAssembly module")?);
    let mut sections = Vec::new();
    while !reader.0.is_empty() {
        let id = reader.byte()?;
        let length = reader.number()?;
        sections.push(Section {
            id,
            content: reader.take(length)?,
        });
    }
    Ok(sections)
}

/// A module of these sections.
#[must_use]
pub fn of_sections<'a>(sections: impl IntoIterator<Item = (u8, &'a [u8])>) -> Vec<u8> {
    let mut module = HEADER.to_vec();
    for (id, content) in sections {
        module.push(id);
        write_number(content.len(), &mut module);
        module.extend_from_slice(content);
    }
    module
}

/// A module without what its functions are called: nothing of it is needed to run it.
///
/// # Errors
/// When the bytes are no module.
pub fn without_names(module: &[u8]) -> Result<Vec<u8>> {
    let sections = sections(module)?;
    let kept = sections
        .iter()
        .filter(|section| !is_custom(section, "name"))
        .map(|section| (section.id, section.content));
    Ok(of_sections(kept))
}

/// The functions of a module in their order, with their names and the bytes of their bodies.
///
/// # Errors
/// When the bytes are no module, or one without names.
pub fn functions(module: &[u8]) -> Result<Vec<(String, &[u8])>> {
    let sections = sections(module)?;
    let content = |id| {
        let found = sections.iter().find(|section| section.id == id);
        found.map(|section| section.content)
    };
    let mut names = sections.iter().filter(|section| is_custom(section, "name"));
    let names = names.next().context("the module has no names")?;
    let mut names = function_names(names.content)?;
    let imported = imported_functions(content(section::IMPORT).unwrap_or_default())?;
    let mut reader = Reader(content(section::CODE).unwrap_or_default());
    let mut functions = Vec::new();
    for index in 0..reader.number()? {
        let length = reader.number()?;
        let body = reader.take(length)?;
        let name = names
            .iter_mut()
            .find(|(known, _)| *known == imported + index)
            .map(|(_, name)| std::mem::take(name));
        functions.push((name.unwrap_or_default(), body));
    }
    Ok(functions)
}

fn is_custom(section: &Section<'_>, name: &str) -> bool {
    let mut reader = Reader(section.content);
    section.id == section::CUSTOM && reader.text().is_ok_and(|found| found == name)
}

/// The indices and names of functions.
fn function_names(content: &[u8]) -> Result<Vec<(usize, String)>> {
    /// The part of the section that has the functions' names.
    const FUNCTIONS: u8 = 1;
    let mut reader = Reader(content);
    reader.text()?;
    let mut names = Vec::new();
    while !reader.0.is_empty() {
        let id = reader.byte()?;
        let length = reader.number()?;
        let mut part = Reader(reader.take(length)?);
        if id == FUNCTIONS {
            for _ in 0..part.number()? {
                names.push((part.number()?, part.text()?.to_owned()));
            }
        }
    }
    Ok(names)
}

/// How many functions a module takes from its host: they have the first indices.
///
/// # Errors
/// When the bytes are no section of imports.
pub fn imported_functions(content: &[u8]) -> Result<usize> {
    let mut functions = 0;
    each_import(content, |import| functions += usize::from(import.is_function))?;
    Ok(functions)
}

/// A module that asks its host for other names, each of which `rename` gives for the one that it asks for now.
///
/// # Errors
/// When the bytes are no module.
pub fn with_renamed_imports(module: &[u8], mut rename: impl FnMut(&str) -> String) -> Result<Vec<u8>> {
    let sections = sections(module)?;
    let imports = sections.iter().find(|part| part.id == section::IMPORT);
    let imports = imports.context("the module takes nothing from its host")?;
    let mut renamed = Vec::new();
    write_number(Reader(imports.content).number()?, &mut renamed);
    each_import(imports.content, |import| {
        for name in [import.module, &rename(import.name)] {
            write_number(name.len(), &mut renamed);
            renamed.extend_from_slice(name.as_bytes());
        }
        renamed.extend_from_slice(import.kind);
    })?;
    Ok(of_sections(sections.iter().map(|part| match part.id {
        section::IMPORT => (part.id, &*renamed),
        _ => (part.id, part.content),
    })))
}

/// What a module takes from its host.
struct Import<'a> {
    module: &'a str,
    name: &'a str,
    is_function: bool,
    /// What it is, in bytes.
    kind: &'a [u8],
}

fn each_import<'a>(content: &'a [u8], mut see: impl FnMut(Import<'a>)) -> Result<()> {
    let mut reader = Reader(content);
    if content.is_empty() {
        return Ok(());
    }
    for _ in 0..reader.number()? {
        let (module, name) = (reader.text()?, reader.text()?);
        let from = reader.0;
        let mut is_function = false;
        match reader.byte()? {
            0 => {
                reader.number()?;
                is_function = true;
            }
            kind @ (1 | 2) => {
                if kind == 1 {
                    reader.byte()?;
                }
                let has_most = reader.byte()? & 1 == 1;
                reader.number()?;
                if has_most {
                    reader.number()?;
                }
            }
            3 => {
                reader.take(2)?;
            }
            // An exception: a byte and its type.
            _ => {
                reader.byte()?;
                reader.number()?;
            }
        }
        let (kind, _) = from.split_at(from.len() - reader.0.len());
        see(Import {
            module,
            name,
            is_function,
            kind,
        });
    }
    Ok(())
}

/// Reads a section from its beginning.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next byte.
    ///
    /// # Errors
    /// When there is none.
    pub fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.0.split_first().context("a WebAssembly section is cut off")?;
        self.0 = rest;
        Ok(*first)
    }

    /// The next number, as such modules write numbers without a sign.
    ///
    /// # Errors
    /// When there is none, or one that is too large.
    pub fn number(&mut self) -> Result<usize> {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        anyhow::bail!("a number of a WebAssembly module is too large")
    }

    /// So many bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        ensure!(length <= self.0.len(), "a WebAssembly section is cut off");
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        Ok(taken)
    }

    /// The next text.
    ///
    /// # Errors
    /// When it is none.
    pub fn text(&mut self) -> Result<&'a str> {
        let length = self.number()?;
        Ok(std::str::from_utf8(self.take(length)?)?)
    }
}

/// Writes a number as such modules do.
pub fn write_number(mut number: usize, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module() -> Vec<u8> {
        let mut imports = vec![1, 1];
        imports.extend_from_slice(b"a\x01b\x00\x00");
        let mut names = vec![4];
        names.extend_from_slice(b"name\x01\x09\x02\x00\x01f\x01\x03g::");
        of_sections([
            (section::IMPORT, &*imports),
            (section::CODE, &[1, 2, 0, 0x0b]),
            (section::CUSTOM, &names),
        ])
    }

    #[test]
    fn functions_have_the_names_behind_the_imports() {
        let module = module();
        assert_eq!(
            functions(&module).unwrap(),
            [("g::".to_owned(), [0, 0x0b].as_slice())]
        );
    }

    #[test]
    fn without_names_the_rest_is_there() {
        let bare = without_names(&module()).unwrap();
        assert_eq!(sections(&bare).unwrap().len(), 2);
        assert!(functions(&bare).is_err());
    }

    #[test]
    fn imports_get_other_names() {
        let renamed = with_renamed_imports(&module(), |name| format!("{name}{name}")).unwrap();
        let imports = sections(&renamed).unwrap()[0].content;
        assert_eq!(imports, b"\x01\x01a\x02bb\x00\x00");
        assert_eq!(functions(&renamed).unwrap(), functions(&module()).unwrap());
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let module = module();
        assert!(sections(&module[..module.len() - 1]).is_err());
        assert!(sections(b"\0asm").is_err());
    }

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, 127, 128, 300, 1 << 20] {
            let mut bytes = Vec::new();
            write_number(number, &mut bytes);
            assert_eq!(Reader(&bytes).number().unwrap(), number);
        }
    }
}
