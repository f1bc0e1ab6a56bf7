//! Which blocks and functions a place lies in (CSS Syntax 3 § 5.4.8: a bracket that closes nothing is a token like others).

/// How deep blocks are told apart. Beyond, nothing is found.
const MAX_DEPTH: usize = 128;

/// What has been opened, outermost first, each with what it is to whoever asks.
#[derive(Debug)]
pub(crate) struct Blocks<T> {
    open: Vec<(u8, T)>,
    /// What was opened beyond the bound; once something was, only the bound is counted any more.
    is_too_deep: bool,
}

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self { open: Vec::new(), is_too_deep: false }
    }
}

impl<T> Blocks<T> {
    /// A block or function opens with this bracket.
    pub(crate) fn open(&mut self, bracket: u8, what: T) {
        if self.open.len() >= MAX_DEPTH {
            self.is_too_deep = true;
        } else if !self.is_too_deep {
            self.open.push((bracket, what));
        }
    }

    /// A bracket closes; what it closes, if anything.
    pub(crate) fn close(&mut self, bracket: u8) -> Option<T> {
        let opens = match bracket {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        };
        if self.is_too_deep || self.open.last().is_none_or(|(open, _)| *open != opens) {
            return None;
        }
        self.open.pop().map(|(_, what)| what)
    }

    /// What the place lies in directly.
    pub(crate) fn innermost(&mut self) -> Option<&mut T> {
        if self.is_too_deep { None } else { self.open.last_mut().map(|(_, what)| what) }
    }
}
