use super::{Headers, WireError, find, lines};

/// Takes one message's body out of the bytes of a connection, in whatever pieces they arrive, and leaves what follows it.
#[derive(Debug)]
pub(crate) struct BodyReader {
    state: State,
    pub(crate) trailers: Headers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Length(usize),
    ChunkSize,
    ChunkData(usize),
    ChunkEnd,
    Trailers,
    UntilClose,
    Done,
}

impl BodyReader {
    pub(crate) fn empty() -> Self {
        Self::in_state(State::Done)
    }

    /// The body that `headers` announce; `otherwise_until_close` is what tells responses from requests.
    pub(crate) fn announced_by(headers: &Headers, otherwise_until_close: bool) -> Result<Self, WireError> {
        let chunked =
            headers.all("transfer-encoding").iter().any(|v| v.to_ascii_lowercase().contains("chunked"));
        if chunked {
            return Ok(Self::in_state(State::ChunkSize));
        }
        let Some(length) = headers.get("content-length") else {
            return Ok(Self::in_state(if otherwise_until_close { State::UntilClose } else { State::Done }));
        };
        let length = length.parse().map_err(|_| WireError::new("a content-length", length.as_bytes()))?;
        Ok(Self::in_state(if length == 0 { State::Done } else { State::Length(length) }))
    }

    fn in_state(state: State) -> Self {
        Self { state, trailers: Headers::new() }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the end of the connection here is the end of the message, and not a cut.
    pub(crate) fn may_end_with_connection(&self) -> bool {
        matches!(self.state, State::Done | State::UntilClose)
    }

    /// Moves what belongs to the body from `buffer` to `body`.
    pub(crate) fn read(&mut self, buffer: &mut Vec<u8>, body: &mut Vec<u8>) -> Result<(), WireError> {
        loop {
            match self.state {
                State::Done => return Ok(()),
                State::UntilClose => {
                    body.append(buffer);
                    return Ok(());
                }
                State::Length(left) => {
                    let left = move_bytes(left, buffer, body);
                    self.state = if left == 0 { State::Done } else { State::Length(left) };
                }
                State::ChunkSize => {
                    let Some(line) = take_line(buffer) else { return Ok(()) };
                    let digits = line.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
                    let size = std::str::from_utf8(digits)
                        .ok()
                        .and_then(|digits| usize::from_str_radix(digits, 16).ok())
                        .ok_or_else(|| WireError::new("a chunk size", &line))?;
                    self.state = if size == 0 { State::Trailers } else { State::ChunkData(size) };
                }
                State::ChunkData(left) => {
                    let left = move_bytes(left, buffer, body);
                    self.state = if left == 0 { State::ChunkEnd } else { State::ChunkData(left) };
                }
                State::ChunkEnd => {
                    let Some(line) = take_line(buffer) else { return Ok(()) };
                    if !line.is_empty() {
                        return Err(WireError::new("the CRLF after a chunk", &line));
                    }
                    self.state = State::ChunkSize;
                }
                State::Trailers => {
                    let end = if buffer.starts_with(b"\r\n") {
                        2
                    } else {
                        find(buffer, b"\r\n\r\n").map_or(0, |at| at + 4)
                    };
                    if end == 0 {
                        return Ok(());
                    }
                    let block: Vec<u8> = buffer.drain(..end).collect();
                    self.trailers = Headers::parse(lines(&block))?;
                    self.state = State::Done;
                }
            }
            if buffer.is_empty() {
                return Ok(());
            }
        }
    }
}

fn move_bytes(left: usize, buffer: &mut Vec<u8>, body: &mut Vec<u8>) -> usize {
    let take = left.min(buffer.len());
    body.extend(buffer.drain(..take));
    left - take
}

fn take_line(buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = find(buffer, b"\r\n")?;
    let mut line: Vec<u8> = buffer.drain(..end + 2).collect();
    line.truncate(end);
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunked_body_and_trailers_are_read_at_every_cut() {
        let wire = b"4;x=1\r\nWiki\r\n5\r\npedia\r\n0\r\nx-sum: 9\r\n\r\nNEXT";
        let headers: Headers = [("Transfer-Encoding", "chunked")].into_iter().collect();
        for cut in 0..=wire.len() {
            let mut reader = BodyReader::announced_by(&headers, true).unwrap();
            let (mut buffer, mut body) = (Vec::new(), Vec::new());
            for piece in [&wire[..cut], &wire[cut..]] {
                buffer.extend_from_slice(piece);
                reader.read(&mut buffer, &mut body).unwrap();
            }
            assert!(reader.is_done(), "cut at {cut}");
            assert_eq!(body, b"Wikipedia", "cut at {cut}");
            assert_eq!(reader.trailers.get("x-sum"), Some("9"), "cut at {cut}");
            assert_eq!(buffer, b"NEXT", "cut at {cut}");
        }
    }
}
