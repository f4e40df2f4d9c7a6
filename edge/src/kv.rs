//! The runtime's key-value store, as far as programs need it: bytes by their key.
//!
//! `worker` has it whole, with values of any type and their metadata, and so with JSON and serialisation.

use worker::js_sys::{Object, Promise, Reflect, Uint8Array};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Result};

#[wasm_bindgen]
extern "C" {
    /// A store.
    pub(crate) type Kv;

    #[wasm_bindgen(method, catch, js_name = get)]
    fn get_raw(this: &Kv, key: &str, kind: &str) -> std::result::Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = put)]
    fn put_raw(
        this: &Kv,
        key: &str,
        value: &Uint8Array,
        options: &Object,
    ) -> std::result::Result<Promise, JsValue>;
}

impl Kv {
    /// The store that the configuration names so.
    pub(crate) fn of(env: &Env, name: &str) -> Result<Self> {
        let store = Reflect::get(env, &JsValue::from_str(name))?;
        if store.is_undefined() {
            return Err(format!("there is no {name}").into());
        }
        Ok(store.unchecked_into())
    }

    /// The bytes of a key, if it has any.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let found = JsFuture::from(self.get_raw(key, "arrayBuffer")?).await?;
        Ok((!found.is_null()).then(|| Uint8Array::new(&found).to_vec()))
    }

    /// Keeps bytes, for so many seconds or for ever.
    pub(crate) async fn put(&self, key: &str, bytes: &[u8], seconds: Option<u32>) -> Result<()> {
        let options = Object::new();
        if let Some(seconds) = seconds {
            Reflect::set(&options, &"expirationTtl".into(), &seconds.into())?;
        }
        JsFuture::from(self.put_raw(key, &Uint8Array::from(bytes), &options)?).await?;
        Ok(())
    }
}
