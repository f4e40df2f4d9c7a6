//! The program: kept in the isolate's memory, and in KV for isolates that begin; refreshed in the background.
//!
//! No page waits for the origin. With the origin down the last program goes on; with none at all, pages pass
//! as they come.

use crate::clock;
use crate::config::Config;
use nearside_engine::program::Program;
use nearside_engine::time::Timestamp;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use worker::{
    Context, Env, Fetch, Headers, Method, Request, RequestInit, Result, console_error, console_log,
};

const KV: &str = "NEARSIDE_KV";
const KEY: &str = "program";
/// A larger program is a mistake.
const MAX_PROGRAM: usize = 10 * 1024 * 1024;

/// A program with its bytes, which the SDK fetches.
pub(crate) struct Loaded {
    pub(crate) program: Program,
    pub(crate) bytes: Vec<u8>,
    pub(crate) id: String,
}

impl Loaded {
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
    if is_due {
        let env = env.clone();
        let (origin, secret) = (config.origin.clone(), config.edge_secret.clone());
        let known_id = known.as_ref().map(|known| known.id.clone());
        context.wait_until(async move {
            if let (Some(origin), Some(secret)) = (origin, secret)
                && let Err(error) = refresh(&env, &origin, &secret, known_id.as_deref()).await
            {
                console_log!("nearside: the program was not refreshed: {error}");
            }
        });
    }
    known
}

async fn from_kv(env: &Env) -> Option<Rc<Loaded>> {
    let bytes = env.kv(KV).ok()?.get(KEY).bytes().await.ok()??;
    let loaded = Rc::new(Loaded::from_bytes(bytes)?);
    CURRENT.set(Some(Rc::clone(&loaded)));
    Some(loaded)
}

async fn refresh(env: &Env, origin: &str, secret: &str, known: Option<&str>) -> Result<()> {
    let headers = Headers::new();
    headers.set("authorization", &format!("Bearer {secret}"))?;
    if let Some(id) = known {
        headers.set("if-none-match", &format!("\"{id}\""))?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::Get).with_headers(headers);
    let request = Request::new_with_init(&format!("{origin}/v1/edge/program"), &init)?;
    let mut response = Fetch::Request(request).send().await?;
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
        let kept = env.kv(KV)?.put_bytes(KEY, &loaded.bytes)?.execute().await;
        CURRENT.set(Some(Rc::new(loaded)));
        kept?;
    }
    Ok(())
}
