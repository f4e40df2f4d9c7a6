//! Changes in the JavaScript that wasm-bindgen puts around the worker's module.

use anyhow::{Context, Result, ensure};

/// The glue, changed so that it tells the entry when an instance of the module has broken, and of what: the error's
/// stack is all that there is to find the place by.
///
/// It has a hook of its own, which runs in the broken instance; there, no call to the outside succeeds.
///
/// Nor does the glue make a new instance by itself: the entry does so at the next request. What is left of a broken one,
/// an answer that comes late, would be what makes it, and would then go on in the new one at the old one's addresses.
pub(super) fn telling_of_traps(glue: &str) -> Result<String> {
    const CHANGES: [(&str, &str); 3] = [
        (
            "    if (__wbg_reinit_scheduled) {\n      __wbg_reset_state();\n      return;\n    }\n    throw new \
             Error(\"Module terminated\");",
            "    throw new Error(\"Module terminated\");",
        ),
        (
            "function __wbg_call_abort_hook() {",
            "function __wbg_call_abort_hook(error) {\n  globalThis.__nearside_trapped?.(error);",
        ),
        (
            "  __wbg_call_abort_hook();\n  throw e;",
            "  __wbg_call_abort_hook(e);\n  throw e;",
        ),
    ];
    let mut changed = glue.to_owned();
    for (found, instead) in CHANGES {
        changed = replaced(&changed, found, instead, "where it takes note of a trap")?;
    }
    Ok(changed)
}

/// The glue with the module's functions themselves, in the place of a class that keeps an instance of itself behind three
/// proxies for each request. The entry is such a class already.
pub(super) fn without_class(glue: &str) -> Result<String> {
    const CLASS: &str = "var Entrypoint = class extends WorkerEntrypoint {";
    const EXPORTS: [(&str, &str); 3] = [
        ("fetch", "answer"),
        ("queue", "deliver"),
        ("checkReinitialize", "renew"),
    ];
    let (functions, _) = glue
        .split_once(CLASS)
        .with_context(|| format!("worker-build's shim has no `{CLASS}` any more: find its exports"))?;
    for (name, _) in EXPORTS {
        ensure!(
            functions.contains(&format!("\nfunction {name}(")),
            "worker-build's shim has no `function {name}` any more: find what the entry calls"
        );
    }
    let exports = EXPORTS
        .map(|(name, known)| format!("{name} as {known}"))
        .join(", ");
    Ok(format!("{functions}export {{ {exports} }};\n"))
}

fn replaced(glue: &str, found: &str, instead: &str, what: &str) -> Result<String> {
    let (before, after) = glue.split_once(found).with_context(|| {
        format!(
            "wasm-bindgen's glue has no `{}` any more: find {what}",
            found.trim()
        )
    })?;
    Ok(format!("{before}{instead}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_glue_tells_of_traps_or_the_build_fails() {
        let glue = "let a;\nfunction __wbg_call_abort_hook() {\n  hook();\n}\nfunction caught(e) {\n  \
                    __wbg_call_abort_hook();\n  throw e;\n}\nfunction guard() {\n  if (flag) {\n    if \
                    (__wbg_reinit_scheduled) {\n      __wbg_reset_state();\n      return;\n    }\n    throw \
                    new Error(\"Module terminated\");\n  }\n}\n";
        let changed = telling_of_traps(glue).unwrap();
        assert!(changed.contains("(error) {\n  globalThis.__nearside_trapped?.(error);\n  hook();"));
        assert!(changed.contains("__wbg_call_abort_hook(e);\n  throw e;"));
        assert!(changed.contains("if (flag) {\n    throw new Error(\"Module terminated\");\n  }"));
        assert!(telling_of_traps("let a;").is_err());
    }

    #[test]
    fn the_entry_gets_the_functions_or_the_build_fails() {
        let functions = "\nfunction fetch(a) {}\nfunction queue(b) {}\nfunction checkReinitialize() {}\n";
        let class = "var Entrypoint = class extends WorkerEntrypoint {\n};\nexport { Entrypoint };\n";
        let changed = without_class(&format!("{functions}{class}")).unwrap();
        assert_eq!(
            changed,
            format!(
                "{functions}export {{ fetch as answer, queue as deliver, checkReinitialize as renew }};\n"
            )
        );
        let no_class = without_class(functions).unwrap_err().to_string();
        assert!(no_class.contains("find its exports"), "{no_class}");
        let no_function = without_class(class).unwrap_err().to_string();
        assert!(no_function.contains("no `function fetch`"), "{no_function}");
    }
}
