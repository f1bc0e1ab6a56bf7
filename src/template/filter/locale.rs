//! Locales: separators, patterns and names, from the Common Locale Data Repository.
//!
//! The table holds what is needed here, of the locales that most shops are in; docs/templates.md has its size and those of
//! the alternatives. Digits are those of ASCII and the calendar is the Gregorian one, everywhere.

mod table;

/// What is particular about one locale.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Locale {
    /// BCP 47.
    pub tag: &'static str,
    /// Between thousands.
    pub(super) group: &'static str,
    /// Before decimals.
    pub(super) decimal: &'static str,
    pub(super) minus: &'static str,
    /// The same in amounts of money.
    pub(super) money_group: &'static str,
    pub(super) money_decimal: &'static str,
    /// How many digits there must be before the first separator.
    pub(super) min_grouping: usize,
    /// Thousands, then hundreds of those: 12,34,567.
    pub(super) indian: bool,
    /// Amounts, positive and negative: `¤` is the symbol, `0` the number, `-` the sign.
    pub(super) money: [&'static str; 2],
    /// The same where the symbol has a letter next to the number.
    pub(super) coded: [&'static str; 2],
    /// Symbols that differ from the code: `EUR€`, separated by `;`.
    symbols: &'static str,
    /// Short, medium, long, full.
    pub(super) dates: [&'static str; 4],
    /// As they stand beside a day, separated by `;`; empty where the patterns have no use for them.
    months: &'static str,
    short_months: &'static str,
    /// From Sunday on.
    weekdays: &'static str,
}

impl Locale {
    /// All that there are, sorted by tag.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        table::LOCALES
    }

    /// The locale of a tag such as `de-AT`: itself, or that of its language. Case and `_` do not matter.
    #[must_use]
    pub fn find(tag: &str) -> Option<&'static Self> {
        let same = |known: &str, tag: &str| {
            known.len() == tag.len()
                && known
                    .bytes()
                    .zip(tag.bytes())
                    .all(|(a, b)| a.eq_ignore_ascii_case(&b) || (a == b'-' && b == b'_'))
        };
        let mut rest = tag;
        loop {
            if let Some(found) = table::LOCALES.iter().find(|locale| same(locale.tag, rest)) {
                return Some(found);
            }
            rest = rest.rsplit_once(['-', '_'])?.0;
        }
    }

    /// The symbol of a currency, or its code.
    pub(super) fn symbol<'c>(&self, code: &'c str) -> &'c str
    where
        'static: 'c,
    {
        list(self.symbols).find_map(|entry| entry.strip_prefix(code)).unwrap_or(code)
    }

    /// The name of a month, from 1 on.
    pub(super) fn month(&self, month: usize) -> Option<&'static str> {
        list(self.months).nth(month.checked_sub(1)?)
    }

    /// The short name of a month, from 1 on; the long one where it has none.
    pub(super) fn short_month(&self, month: usize) -> Option<&'static str> {
        list(self.short_months).nth(month.checked_sub(1)?).or_else(|| self.month(month))
    }

    /// The name of a day of the week; Sunday is 0.
    pub(super) fn weekday(&self, day: usize) -> Option<&'static str> {
        list(self.weekdays).nth(day)
    }
}

fn list(names: &'static str) -> impl Iterator<Item = &'static str> {
    names.split(';').filter(|name| !name.is_empty())
}

/// How many decimals amounts of a currency have (CLDR, after ISO 4217).
pub(super) fn decimals(code: &str) -> usize {
    table::DECIMALS.iter().find(|(known, _)| *known == code).map_or(2, |(_, decimals)| *decimals)
}
