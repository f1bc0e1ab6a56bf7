//! Several events in one JSON list, which does not grow beyond a bound.

use crate::exchange::report::Counter;

/// The longest list, for the access log or for a page.
pub const MAX_LIST_BYTES: usize = 16 * 1024;

/// A JSON list of events, as far as they fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    json: String,
    left_out: usize,
}

impl List {
    /// Counts what did not fit into a list.
    pub const FULL: Counter = Counter::ExposuresListFull;

    /// A list of events that are JSON already; those that would make it longer than [`MAX_LIST_BYTES`] are left out.
    #[must_use]
    pub fn of(events: impl IntoIterator<Item = String>) -> Self {
        let (mut json, mut left_out) = (String::from("["), 0_usize);
        for event in events {
            // The comma and the bracket that closes.
            let longer = json.len().saturating_add(event.len()).saturating_add(2);
            if longer > MAX_LIST_BYTES {
                left_out = left_out.saturating_add(1);
                continue;
            }
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(&event);
        }
        json.push(']');
        Self { json, left_out }
    }

    /// Whether there is no event in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.json.len() <= 2
    }

    /// The list.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.json
    }

    /// How many events did not fit.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::fixture::event;

    #[test]
    fn a_list_is_json_and_bounded() {
        assert!(List::of([]).is_empty());
        let events = || (0..200).map(|number| event(&format!("e{number}"), "u").for_server(0));
        let list = List::of(events());
        let read: Vec<serde_json::Value> = serde_json::from_str(list.as_json()).unwrap();
        assert!(list.as_json().len() <= MAX_LIST_BYTES && list.left_out() > 0);
        assert_eq!(read.len() + list.left_out(), 200);
        assert_eq!(read[0]["experiment_id"], "e0");
        assert_eq!(List::of(events().take(2)).left_out(), 0);
    }
}
