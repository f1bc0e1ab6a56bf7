//! Repeated measurements of one thing, and how they are written.

use std::fmt;
use std::time::Duration;

/// At least one measurement, in ascending order.
#[derive(Debug, Clone)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// From measurements in any order.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// In milliseconds.
    #[must_use]
    pub fn millis(times: &[Duration]) -> Self {
        Self::new(times.iter().map(|time| time.as_secs_f64() * 1e3))
    }

    /// Each measurement by the one that was taken in the same round: what slows a round down slows both.
    #[must_use]
    pub fn ratios(values: impl Iterator<Item = f64>, baseline: impl Iterator<Item = f64>) -> Self {
        Self::new(values.zip(baseline).map(|(value, baseline)| value / baseline))
    }

    /// What each time has more than the one that was taken in the same round, in milliseconds.
    #[must_use]
    pub fn added_millis(times: &[Duration], baseline: &[Duration]) -> Self {
        let millis = |time: &Duration| time.as_secs_f64() * 1e3;
        Self::new(times.iter().zip(baseline).map(|(time, baseline)| millis(time) - millis(baseline)))
    }

    /// The one in the middle.
    #[must_use]
    pub fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        let upper = self.at(middle);
        if self.0.len().is_multiple_of(2) {
            f64::midpoint(self.at(middle.saturating_sub(1)), upper)
        } else {
            upper
        }
    }

    /// The lowest.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.at(0)
    }

    /// The highest.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.at(self.0.len().saturating_sub(1))
    }

    fn at(&self, index: usize) -> f64 {
        self.0.get(index).copied().unwrap_or(f64::NAN)
    }
}

/// `0.62 (0.60–0.63)`, with the precision and the sign that are asked for.
impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        let (median, min, max) = (self.median(), self.min(), self.max());
        if f.sign_plus() {
            write!(f, "{median:+.digits$} ({min:+.digits$} to {max:+.digits$})")
        } else {
            write!(f, "{median:.digits$} ({min:.digits$}–{max:.digits$})")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_range_are_written_as_asked() {
        let odd = Samples::new([3.0, 1.0, 2.0]);
        assert_eq!(odd.to_string(), "2.00 (1.00–3.00)");
        assert_eq!(format!("{odd:+.0}"), "+2 (+1 to +3)");
        assert_eq!(format!("{:.1}", Samples::new([4.0, 1.0, 2.0, 3.0])), "2.5 (1.0–4.0)");
    }

    #[test]
    fn a_slow_round_changes_no_ratio() {
        let ratios = Samples::ratios([50.0, 5.0].into_iter(), [100.0, 10.0].into_iter());
        assert_eq!(ratios.to_string(), "0.50 (0.50–0.50)");
    }
}
