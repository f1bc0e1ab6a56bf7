//! Days, by locale. A value is a date of RFC 3339 (`2024-03-05`, with or without a time behind it), shown as it is
//! written, or seconds since 1970, shown in UTC.

use super::locale::Locale;

/// How a day is written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "styles and patterns are all that there is")]
pub enum Format {
    /// One of the locale's own: short, medium, long, full.
    Style(usize),
    /// Letters as in CLDR: `y`, `yy`, `M`, `MM`, `MMM`, `MMMM`, `d`, `dd`, `EEEE`; other text in `'…'`.
    Pattern(String),
}

const STYLES: [&str; 4] = ["short", "medium", "long", "full"];
const FIELDS: &[&str] = &["y", "yy", "yyyy", "M", "MM", "MMM", "MMMM", "d", "dd", "EEEE"];
/// Patterns are short.
const MAX_PATTERN_BYTES: usize = 128;

impl Format {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(style) = STYLES.iter().position(|style| *style == text) {
            return Ok(Self::Style(style));
        }
        let unknown = fields(text).find_map(|field| match field {
            Field::Letters(letters) if !FIELDS.contains(&letters) => Some(letters),
            _ => None,
        });
        let has_field = fields(text).any(|field| matches!(field, Field::Letters(_)));
        if let Some(letters) = unknown.filter(|_| text.len() <= MAX_PATTERN_BYTES) {
            return Err(format!(
                "\"{letters}\" in \"{text}\" means nothing; accepted: {}, or the letters {}",
                STYLES.join(", "),
                FIELDS.join(", ")
            ));
        }
        if !has_field || text.len() > MAX_PATTERN_BYTES {
            return Err(format!(
                "\"{text}\" is no way to write a date; accepted: {}, or a pattern such as `d MMMM y`",
                STYLES.join(", ")
            ));
        }
        Ok(Self::Pattern(text.to_owned()))
    }
}

/// A piece of a pattern.
enum Field<'p> {
    Letters(&'p str),
    Text(&'p str),
    Quote,
}

fn fields(pattern: &str) -> impl Iterator<Item = Field<'_>> {
    let mut rest = pattern;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        if first == '\'' {
            let inside = rest.get(1..)?;
            let end = inside.find('\'').unwrap_or(inside.len());
            rest = inside.get(end.saturating_add(1)..).unwrap_or_default();
            return Some(if end == 0 { Field::Quote } else { Field::Text(inside.get(..end)?) });
        }
        let is_letter = first.is_ascii_alphabetic();
        let same = |c: char| if is_letter { c == first } else { !c.is_ascii_alphabetic() && c != '\'' };
        let (piece, tail) = rest.split_at(rest.find(|c| !same(c)).unwrap_or(rest.len()));
        rest = tail;
        Some(if is_letter { Field::Letters(piece) } else { Field::Text(piece) })
    })
}

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Day {
    year: i64,
    month: i64,
    day: i64,
}

/// The day that `text` says, written out.
pub(super) fn date(text: &str, format: &Format, locale: &Locale) -> Option<String> {
    let day = Day::parse(text.trim())?;
    let pattern = match format {
        Format::Style(style) => locale.dates.get(*style)?,
        Format::Pattern(pattern) => pattern.as_str(),
    };
    let mut out = String::new();
    for field in fields(pattern) {
        match field {
            Field::Text(text) => out.push_str(text),
            Field::Quote => out.push('\''),
            Field::Letters(letters) => out.push_str(&day.field(letters, locale)?),
        }
    }
    Some(out)
}

impl Day {
    fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Self::since_1970(text.parse::<i64>().ok()?.div_euclid(86_400)))
                .filter(|day| day.year <= 9999);
        }
        let (date, rest) = text.split_at_checked(10)?;
        if !(rest.is_empty() || rest.starts_with(['T', 't', ' '])) {
            return None;
        }
        let mut numbers = date.split('-');
        let mut next = |len: usize| {
            let digits = numbers.next()?;
            let valid = digits.len() == len && digits.bytes().all(|byte| byte.is_ascii_digit());
            valid.then(|| digits.parse::<i64>().ok())?
        };
        let day = Self { year: next(4)?, month: next(2)?, day: next(2)? };
        // Only days that there are come back as themselves.
        let real = (1..=12).contains(&day.month) && (1..=31).contains(&day.day);
        (real && Self::since_1970(day.days()) == day).then_some(day)
    }

    /// Days since 1970-01-01 to a date: years start in March, so that the leap day is the last (Euclidean, 400 years at a
    /// time).
    const fn since_1970(days: i64) -> Self {
        let days = days.saturating_add(719_468);
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era.saturating_mul(400) + if month <= 2 { 1 } else { 0 };
        Self { year, month, day: of_year - (153 * from_march + 2) / 5 + 1 }
    }

    const fn days(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let from_march = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let of_year = (153 * from_march + 2) / 5 + self.day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    fn field(self, letters: &str, locale: &Locale) -> Option<String> {
        let month = usize::try_from(self.month).ok()?;
        Some(match letters {
            "y" => self.year.to_string(),
            "yy" => format!("{:02}", self.year.rem_euclid(100)),
            "yyyy" => format!("{:04}", self.year),
            "M" => self.month.to_string(),
            "MM" => format!("{:02}", self.month),
            // Where months have no names, they have numbers.
            "MMM" => locale.short_month(month).map_or_else(|| self.month.to_string(), str::to_owned),
            "MMMM" => locale.month(month).map_or_else(|| self.month.to_string(), str::to_owned),
            "d" => self.day.to_string(),
            "dd" => format!("{:02}", self.day),
            // 1970-01-01 was a Thursday.
            _ => {
                locale.weekday(usize::try_from(self.days().saturating_add(4).rem_euclid(7)).ok()?)?.to_owned()
            }
        })
    }
}
