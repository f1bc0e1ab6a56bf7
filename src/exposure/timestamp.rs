//! When something happened, as RFC 3339 writes it: `2023-11-14T22:13:20.123Z`.

use std::fmt;

use serde::{Serialize, Serializer};

/// Milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timestamp(pub(super) u64);

const DAY: u64 = 86_400_000;

/// Of the proleptic Gregorian calendar, from 1 March 0000 to 1 January 1970.
const DAYS_BEFORE: u64 = 719_468;

/// After that, years have five digits, and RFC 3339 has none for them.
const LAST: u64 = 253_402_300_799_999;

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Numbers below 2^48, none of which is taken from a smaller one.
        let millis = self.0.min(LAST);
        let (days, time) = (millis / DAY + DAYS_BEFORE, millis % DAY);
        // Years begin in March, so that a leap day is the last (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let (hour, minute) = (time / 3_600_000, time / 60_000 % 60);
        let (second, millis) = (time / 1000 % 60, time % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn known_moments() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (LAST, "9999-12-31T23:59:59.999Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp(millis).to_string(), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn days_are_those_of_another_calendar(seconds in 0_u64..253_402_300_799) {
            const MONTHS: [&str; 12] =
                ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
            let other = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
            let parts: Vec<&str> = other.split(' ').collect();
            let month = MONTHS.iter().position(|month| *month == parts[2]).unwrap() + 1;
            let expected = format!("{}-{month:02}-{}T{}.000Z", parts[3], parts[1], parts[4]);
            proptest::prop_assert_eq!(Timestamp(seconds * 1000).to_string(), expected);
        }
    }
}
