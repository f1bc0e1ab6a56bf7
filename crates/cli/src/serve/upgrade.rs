//! Connections that stop being HTTP: WebSocket and the like. What goes over them is nobody's business here.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::ongoing::Ongoing;
use super::recent::End;

/// Carries bytes both ways until both sides have ended, beside what else the thread does.
pub(crate) fn tunnel(visitor: OnUpgrade, origin: OnUpgrade, mut ongoing: Ongoing) {
    tokio::task::spawn_local(async move {
        let (Ok(visitor), Ok(origin)) = tokio::join!(visitor, origin) else { return };
        let (mut visitor, mut origin) = (TokioIo::new(visitor), TokioIo::new(origin));
        match tokio::io::copy_bidirectional(&mut visitor, &mut origin).await {
            Ok((_, to_visitor)) => {
                ongoing.tunnelled(to_visitor);
                ongoing.end(End::Whole);
            }
            Err(_) => ongoing.end(End::Aborted),
        }
    });
}
