//! Numbers and amounts of money, by locale. They are decimal all the way: nothing is rounded by way of binary fractions.

use super::locale::{Locale, decimals};

/// More digits than this are no number that somebody reads.
const MAX_DIGITS: usize = 30;
/// As `Intl.NumberFormat` has it.
const MAX_DECIMALS: usize = 3;

/// A number as it was written: `-1234.50`.
#[derive(Debug)]
struct Decimal {
    negative: bool,
    /// Without zeros in front.
    whole: String,
    fraction: String,
}

/// With separators and at most three decimals, rounded.
pub(super) fn number(text: &str, locale: &Locale) -> Option<String> {
    let mut number = Decimal::parse(text)?.round(MAX_DECIMALS);
    number.fraction.truncate(number.fraction.trim_end_matches('0').len());
    let body = number.grouped(locale, locale.group, locale.decimal);
    Some(if number.is_negative() { format!("{}{body}", locale.minus) } else { body })
}

/// An amount with the symbol of its currency and the currency's decimals, rounded.
pub(super) fn currency(text: &str, code: &str, locale: &Locale) -> Option<String> {
    let mut number = Decimal::parse(text)?.round(decimals(code));
    let missing = decimals(code).saturating_sub(number.fraction.len());
    number.fraction.push_str(&"0".repeat(missing));
    let body = number.grouped(locale, locale.money_group, locale.money_decimal);
    let symbol = locale.symbol(code);
    let [positive, negative] = locale.money;
    let leads = positive.starts_with('¤');
    let next_to_number = if leads { symbol.chars().next_back() } else { symbol.chars().next() };
    let [positive, negative] =
        if next_to_number.is_some_and(char::is_alphabetic) { locale.coded } else { [positive, negative] };
    let pattern = if number.is_negative() { negative } else { positive };
    let mut out = String::new();
    for c in pattern.chars() {
        match c {
            '¤' => out.push_str(symbol),
            '0' => out.push_str(&body),
            '-' => out.push_str(locale.minus),
            other => out.push(other),
        }
    }
    Some(out)
}

/// Whether this can be the code of a currency (ISO 4217).
pub(super) fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let valid = are_digits(whole) && are_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
        let whole = whole.trim_start_matches('0');
        let short = whole.len() <= MAX_DIGITS && fraction.len() <= MAX_DIGITS;
        (valid && short).then(|| Self { negative, whole: whole.to_owned(), fraction: fraction.to_owned() })
    }

    /// Half away from zero.
    fn round(mut self, decimals: usize) -> Self {
        let up = self.fraction.as_bytes().get(decimals).is_some_and(|digit| *digit >= b'5');
        self.fraction.truncate(decimals);
        if up {
            let fraction = self.fraction.len();
            let mut digits: Vec<u8> = self.whole.bytes().chain(self.fraction.bytes()).collect();
            let mut carry = true;
            for digit in digits.iter_mut().rev() {
                carry = *digit == b'9';
                if !carry {
                    *digit = digit.saturating_add(1);
                    break;
                }
                *digit = b'0';
            }
            if carry {
                digits.insert(0, b'1');
            }
            let digits: String = digits.into_iter().map(char::from).collect();
            let (whole, rest) = digits.split_at(digits.len().saturating_sub(fraction));
            (self.whole, self.fraction) = (whole.to_owned(), rest.to_owned());
        }
        self
    }

    /// Whether a sign stands before it: nought has none.
    fn is_negative(&self) -> bool {
        self.negative && self.whole.bytes().chain(self.fraction.bytes()).any(|digit| digit != b'0')
    }

    fn grouped(&self, locale: &Locale, group: &str, decimal: &str) -> String {
        let whole = if self.whole.is_empty() { "0" } else { &self.whole };
        let len = whole.len();
        let groups = len >= locale.min_grouping.saturating_add(3);
        let mut out = String::new();
        for (at, digit) in whole.chars().enumerate() {
            let left = len.saturating_sub(at);
            let boundary = if locale.indian && left > 3 { left % 2 == 1 } else { left % 3 == 0 };
            if groups && at > 0 && boundary {
                out.push_str(group);
            }
            out.push(digit);
        }
        if !self.fraction.is_empty() {
            out.push_str(decimal);
            out.push_str(&self.fraction);
        }
        out
    }
}
