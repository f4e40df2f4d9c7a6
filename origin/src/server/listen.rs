//! Takes connections, and ends them in order.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// How many connections are open at once. More wait in the system's queue.
const MAX_CONNECTIONS: usize = 4_096;
/// How long a connection may be open without the head of a request. Longer than proxies keep theirs, so
/// that a request rarely meets a connection that is being closed.
const MAX_SILENCE: Duration = Duration::from_secs(90);
/// How long requests in flight may take to end once the service was asked to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait when the system has no room for a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers requests until `stop` ends, and then those that are in flight.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(MAX_SILENCE);
    let service = TowerToHyperService::new(router);
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            // Closed by nobody, so that there is always a permit to wait for.
            let permit = room.clone().acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((listener.accept().await?.0, permit))
        };
        let (stream, permit) = tokio::select! {
            () = &mut stop => break,
            accepted = accepted => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "could not take a connection");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
        };
        // Answers are small and whole: waiting for more to send only delays them.
        let _ = stream.set_nodelay(true);
        let connection = builder.serve_connection(TokioIo::new(stream), service.clone());
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    tracing::info!("stopping");
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}
