//! The program: kept in the isolate's memory, and in KV for isolates that begin; refreshed in the background.
//!
//! No page waits for the origin. With the origin down the last program goes on; with none at all, pages pass
//! as they come.

use crate::config::Config;
use crate::kv::Kv;
use crate::origin::{Origin, PATIENT, PROMPT};
use crate::{background, clock, counts};
use nearside_engine::program::Program;
use nearside_engine::time::Timestamp;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use worker::{Context, Env, Result, console_error, console_log};

const KV: &str = "NEARSIDE_KV";
/// The program in force.
const CURRENT_KEY: &str = "program";
/// Each program is also kept under its id, for pages that were made with it elsewhere; for a week.
const BY_ID_PREFIX: &str = "program:";
const BY_ID_SECONDS: u32 = 7 * 24 * 60 * 60;
/// A larger program is a mistake.
const MAX_PROGRAM: usize = 10 * 1024 * 1024;

/// A program with its bytes, which the SDK fetches.
pub(crate) struct Loaded {
    pub(crate) program: Program,
    pub(crate) bytes: Vec<u8>,
    pub(crate) id: String,
}

impl Loaded {
    /// The selectors of all that the program may change in pages.
    pub(crate) fn selectors(&self) -> Vec<&str> {
        let variants = self
            .program
            .experiences
            .iter()
            .flat_map(|experience| &experience.variants);
        let mutations = variants.flat_map(|variant| &variant.mutations);
        let mut selectors: Vec<&str> = mutations
            .map(|mutation| mutation.selector.as_str())
            .filter(|selector| !selector.is_empty())
            .collect();
        selectors.sort_unstable();
        selectors.dedup();
        selectors
    }

    fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        match Program::from_bytes(&bytes) {
            Ok(program) => Some(Self {
                program,
                id: Program::id_of(&bytes),
                bytes,
            }),
            Err(error) => {
                console_error!("nearside: {error}");
                None
            }
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Loaded>>> = const { RefCell::new(None) };
    static CHECKED_AT: Cell<Timestamp> = const { Cell::new(0) };
}

/// The program that decides now, if there is one; asks for a newer one in the background when that is due.
pub(crate) async fn current(env: &Env, context: &Context, config: &Config) -> Option<Rc<Loaded>> {
    let known = CURRENT.with_borrow(Clone::clone);
    let now = clock::now();
    let is_due = CHECKED_AT.get() + config.refresh <= now;
    if is_due {
        // Set at once, so that of many requests one asks.
        CHECKED_AT.set(now);
    }
    let known = match known {
        Some(known) => Some(known),
        None => from_kv(env).await,
    };
    if let (true, Some(origin)) = (is_due, Origin::of(config)) {
        counts::tell(&origin, context);
        let env = env.clone();
        let known_id = known.as_ref().map(|known| known.id.clone());
        background::go_on(context, async move {
            if let Err(error) = refresh(&env, &origin, known_id.as_deref()).await {
                console_log!("nearside: the program was not refreshed: {error}");
            }
        });
    }
    known
}

/// The bytes of the program with this id, wherever they are: a page that one isolate made with a new program
/// may send its visitor's browser to another isolate, which has not heard of it yet.
pub(crate) async fn bytes_of(id: &str, env: &Env, config: &Config) -> Option<Vec<u8>> {
    let current = || {
        CURRENT.with_borrow(|known| {
            known
                .as_ref()
                .filter(|known| known.id == id)
                .map(|k| k.bytes.clone())
        })
    };
    if let Some(bytes) = current() {
        return Some(bytes);
    }
    if let Ok(kv) = Kv::of(env, KV)
        && let Ok(Some(bytes)) = kv.get(&format!("{BY_ID_PREFIX}{id}")).await
    {
        return Some(bytes);
    }
    // The origin sends a program only if it is another than the one in force.
    let known = CURRENT.with_borrow(|known| known.as_ref().map(|known| known.id.clone()));
    let answer = Origin::of(config)?
        .get("/v1/edge/program", known.as_deref(), PROMPT)
        .await;
    let mut answer = answer.ok().filter(|answer| answer.status_code() == 200)?;
    let bytes = answer.bytes().await.ok()?;
    (Program::id_of(&bytes) == id).then_some(bytes)
}

async fn from_kv(env: &Env) -> Option<Rc<Loaded>> {
    let bytes = Kv::of(env, KV).ok()?.get(CURRENT_KEY).await.ok()??;
    let loaded = Rc::new(Loaded::from_bytes(bytes)?);
    // A refresh may have been faster, and then it is newer.
    Some(CURRENT.with_borrow_mut(|current| Rc::clone(current.get_or_insert(loaded))))
}

async fn refresh(env: &Env, origin: &Origin, known: Option<&str>) -> Result<()> {
    let mut response = origin.get("/v1/edge/program", known, PATIENT).await?;
    match response.status_code() {
        304 => return Ok(()),
        200 => {}
        status => return Err(format!("the origin answered {status}").into()),
    }
    let bytes = response.bytes().await?;
    if bytes.len() > MAX_PROGRAM {
        return Err("the origin's program is too large".into());
    }
    let loaded = Loaded::from_bytes(bytes).ok_or("the origin's program cannot be read")?;
    if known != Some(loaded.id.as_str()) {
        console_log!("nearside: program {} is in force", loaded.id);
        let (id, bytes) = (loaded.id.clone(), loaded.bytes.clone());
        // It decides from now on, whether or not KV takes it.
        CURRENT.set(Some(Rc::new(loaded)));
        let kv = Kv::of(env, KV)?;
        kv.put(&format!("{BY_ID_PREFIX}{id}"), &bytes, Some(BY_ID_SECONDS))
            .await?;
        kv.put(CURRENT_KEY, &bytes, None).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nearside_engine::compile::compile;

    #[test]
    fn the_selectors_are_those_of_all_mutations_also_of_titles() {
        let manifest = r#"{"experiences": [{"id": "a", "variants": [{"id": "v", "mutations": [
            {"op": "text", "selector": "h1", "value": "x"}, {"op": "remove", "selector": "h1"},
            {"op": "title", "value": "x"}, {"op": "meta", "name": "robots", "value": "noindex"}]}]}]}"#;
        let (program, warnings) = compile(&serde_json::from_str(manifest).unwrap());
        assert!(warnings.is_empty(), "{warnings:?}");
        let loaded = Loaded::from_bytes(program.to_bytes()).unwrap();
        let selectors = loaded.selectors();
        for experience in &loaded.program.experiences {
            for mutation in experience.variants.iter().flat_map(|variant| &variant.mutations) {
                assert!(selectors.contains(&mutation.selector.as_str()), "{mutation:?}");
            }
        }
        assert_eq!(selectors.len(), 3);
    }
}
