//! The body of an answer before its edits: of the origin, of a file, or written here.

use std::fs::File;
use std::io::{self, Read as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// How much of a file is read at once.
const READ_BYTES: usize = 64 * 1024;

/// See the [module](self).
#[derive(Debug)]
pub(crate) enum Source {
    Written(Option<Bytes>),
    Origin(Incoming),
    File {
        file: File,
        /// How much of it is still to be sent.
        left: u64,
    },
}

impl Source {
    pub(crate) const EMPTY: Self = Self::Written(None);
}

impl From<Bytes> for Source {
    fn from(bytes: Bytes) -> Self {
        Self::Written(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }
}

impl Body for Source {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Written(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Origin(incoming) => Pin::new(incoming)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(io::Error::other))),
            Self::File { left: 0, .. } => Poll::Ready(None),
            Self::File { file, left } => Poll::Ready(Some(read(file, left).map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Written(bytes) => bytes.is_none(),
            Self::Origin(incoming) => incoming.is_end_stream(),
            Self::File { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Written(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Origin(incoming) => incoming.size_hint(),
            Self::File { left, .. } => SizeHint::with_exact(*left),
        }
    }
}

/// Files on this machine are there at once or nearly so; waiting for one holds the others of this thread up for that long.
fn read(file: &mut File, left: &mut u64) -> io::Result<Bytes> {
    let most = usize::try_from(*left).unwrap_or(READ_BYTES).min(READ_BYTES);
    let mut bytes = vec![0; most];
    let n = file.read(&mut bytes)?;
    if n == 0 {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the file became shorter while it was sent",
        ));
    }
    bytes.truncate(n);
    *left = left.saturating_sub(n as u64);
    Ok(bytes.into())
}
