//! What the core takes as inputs and a command line has to find: what time it is, and chance.

use std::time::{Duration, Instant, SystemTime};

/// The year 10000, in seconds since 1970: no date in a header, nor in RFC 3339, has a fifth digit.
const END: Duration = Duration::from_secs(253_402_300_800);

/// RFC 3339, in any time zone, or seconds since 1970; from then on until the year 9999.
pub(crate) fn parse(text: &str) -> Result<SystemTime, &'static str> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let timestamp = || {
        let moment = SystemTime::from(text.parse::<jiff::Timestamp>().ok()?);
        moment.duration_since(SystemTime::UNIX_EPOCH).ok()
    };
    let moment = seconds.or_else(timestamp).filter(|since| *since < END);
    let moment = moment.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
    moment.ok_or("write a time such as 2026-01-31T12:00:00Z, or seconds since 1970")
}

/// The moment that a header can say and that is closest.
pub(crate) fn in_header(moment: SystemTime) -> SystemTime {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let last = END.saturating_sub(Duration::from_secs(1));
    SystemTime::UNIX_EPOCH.checked_add(since.min(last)).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// What time it is.
#[expect(clippy::disallowed_methods, reason = "the shell is where clocks are read")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// The clock that durations are measured with.
#[expect(clippy::disallowed_methods, reason = "the shell is where clocks are read")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// What comes of it, and how long that took.
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = instant();
    let done = work();
    (done, began.elapsed())
}

/// A moment in RFC 3339, to the millisecond, from milliseconds since 1970.
pub(crate) fn shown(millis: u64) -> String {
    let moment = i64::try_from(millis).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    moment.map_or_else(|| format!("{millis} ms after 1970"), |moment| moment.to_string())
}

/// A number that nobody can foresee; zero where the system gives none.
pub(crate) fn random() -> u128 {
    let mut bytes = [0; 16];
    let filled = getrandom::fill(&mut bytes).is_ok();
    if filled { u128::from_le_bytes(bytes) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_forms() {
        let at = |seconds| Ok(SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds));
        for (text, seconds) in [
            ("0", 0.0),
            ("1769860800.5", 1_769_860_800.5),
            ("2026-01-31T12:00:00Z", 1_769_860_800.0),
            ("2026-01-31T13:00:00.5+01:00", 1_769_860_800.5),
        ] {
            assert_eq!(parse(text), at(seconds), "{text}");
        }
        for text in ["", "now", "NaN", "-1", "1e300", "2026-01-31", "2026-01-31T12:00:00"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_those_that_headers_can_say() {
        for (text, is_time) in [
            ("1970-01-01T00:00:00Z", true),
            ("1969-12-31T23:59:59.9Z", false),
            ("253402300799", true),
            ("253402300799.9", true),
            ("253402300800", false),
            ("9e18", false),
        ] {
            assert_eq!(parse(text).is_ok(), is_time, "{text}");
        }
        for (seconds, shown) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (253_402_300_800, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(httpdate::fmt_http_date(in_header(moment)), shown);
        }
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(in_header(before), SystemTime::UNIX_EPOCH);
    }
}
