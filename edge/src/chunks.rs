//! A body's bytes in large pieces: each piece takes the runtime and the module some dozen calls, however small it is.

use futures_util::StreamExt;
use futures_util::stream::LocalBoxStream;
use worker::js_sys::{Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Error, Result};

/// The largest piece, in bytes. A reader without a buffer of its own gets 4 KB at a time.
const PIECE: u32 = 64 * 1024;

/// Reads a body to its end, as its bytes come.
pub(crate) enum Chunks {
    /// Into a buffer that goes back and forth.
    Buffered {
        reader: web_sys::ReadableStreamByobReader,
        buffer: Option<Uint8Array>,
        /// Whether nothing more comes.
        is_over: bool,
    },
    /// What the runtime gives, where the body is not one of its own streams.
    Given(LocalBoxStream<'static, Result<Vec<u8>>>),
}

impl Chunks {
    /// Begins to read.
    pub(crate) fn of(body: &web_sys::ReadableStream) -> Result<Self> {
        if let Ok(reader) = web_sys::ReadableStreamByobReader::new(body) {
            return Ok(Self::Buffered {
                reader,
                buffer: None,
                is_over: false,
            });
        }
        let response = web_sys::Response::new_with_opt_readable_stream(Some(body))?;
        let chunks = worker::Response::from(response).stream()?;
        Ok(Self::Given(chunks.boxed_local()))
    }

    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Result<Vec<u8>>> {
        match self {
            Self::Given(chunks) => chunks.next().await,
            Self::Buffered {
                reader,
                buffer,
                is_over,
            } => {
                let empty = buffer
                    .take()
                    .unwrap_or_else(|| Uint8Array::new_with_length(PIECE));
                match read(reader, &empty).await {
                    Ok((filled, is_done)) => {
                        let bytes = filled.as_ref().map(Uint8Array::to_vec).unwrap_or_default();
                        // The view is as long as what came; the buffer behind it is whole.
                        *buffer = filled.map(|filled| Uint8Array::new(&filled.buffer()));
                        *is_over = is_done;
                        (!is_done).then_some(Ok(bytes))
                    }
                    Err(error) => {
                        *is_over = true;
                        Some(Err(Error::from(error)))
                    }
                }
            }
        }
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        // Who reads no further says so, and the upstream need not send the rest.
        if let Self::Buffered {
            reader,
            is_over: false,
            ..
        } = self
        {
            let _ = reader.cancel();
        }
    }
}

async fn read(
    reader: &web_sys::ReadableStreamByobReader,
    buffer: &Uint8Array,
) -> std::result::Result<(Option<Uint8Array>, bool), JsValue> {
    let read = JsFuture::from(reader.read_with_array_buffer_view(buffer)).await?;
    let filled = Reflect::get(&read, &JsValue::from_str("value"))?;
    let is_done = Reflect::get(&read, &JsValue::from_str("done"))?.is_truthy();
    Ok((filled.dyn_into().ok(), is_done))
}
