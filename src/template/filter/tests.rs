use serde_json::{Value, json};

use crate::template::expression::MAX_BYTES;
use crate::template::tests::NAMES;
use crate::template::{Part, Template};

fn made(filters: &str, value: Value) -> Option<String> {
    let template = Template::parse(&format!("{{{{ x | {filters} }}}}"), &NAMES).unwrap();
    let [Part::Value(expression)] = template.parts() else { panic!("{filters}: no value") };
    let lookup = |name: &str| match name {
        "x" => Some(value.clone()),
        "lang" => Some(json!("de_AT")),
        "country" => Some(json!("xx")),
        _ => None,
    };
    expression.evaluate(&lookup).map(|value| value.text().into_owned())
}

#[test]
fn texts() {
    for (filters, value, expected) in [
        ("upper", json!("straße é"), Some("STRASSE É")),
        ("lower", json!("ÀB"), Some("àb")),
        ("upper", json!(""), None),
        ("upper | default('no')", json!(""), Some("no")),
        ("default('no') | upper", json!(""), Some("NO")),
        ("default('no')", json!(false), Some("false")),
        ("default('no')", json!([]), Some("no")),
        ("truncate(3)", json!("abc"), Some("abc")),
        ("truncate(3)", json!("abcd"), Some("ab…")),
        ("truncate(4)", json!("ab cd"), Some("ab…")),
        ("truncate(1)", json!("abcd"), Some("…")),
        // One reader's character each: e and an accent, a flag, a family.
        ("truncate(2)", json!("e\u{301}e\u{301}e\u{301}"), Some("e\u{301}…")),
        ("truncate(2)", json!("🇩🇪🇫🇷🇮🇹"), Some("🇩🇪…")),
        ("truncate(2)", json!("👩‍👩‍👧x"), Some("👩‍👩‍👧x")),
        ("truncate(2)", json!("👩‍👩‍👧xy"), Some("👩‍👩‍👧…")),
        ("urlencode", json!("a b/c?é"), Some("a%20b%2Fc%3F%C3%A9")),
        ("json", json!("a\"</script>"), Some("\"a\\\"\\u003c\\/script\\u003e\"")),
        ("json", json!(["a", "b"]), Some("[\"a\",\"b\"]")),
        ("json", json!(7.0), Some("7")),
        ("url_host", json!("https://u:p@Shop.Example:8443/p?x#y"), Some("shop.example")),
        ("url_host", json!("//cdn.example/x"), Some("cdn.example")),
        ("url_host", json!("/p?u=https://a/"), None),
        ("url_host", json!("nothing"), None),
        ("url_path", json!("https://a/p/q%20r?x=/y"), Some("/p/q%20r")),
        ("url_path", json!("https://a"), Some("/")),
        ("url_path", json!("/p#x?y"), Some("/p")),
        ("url_path", json!("?x"), None),
        ("url_query('q')", json!("https://a/?p=1&q=a+%C3%A9#q=2"), Some("a é")),
        ("url_query('q')", json!("/x?p=1"), None),
    ] {
        assert_eq!(made(filters, value.clone()).as_deref(), expected, "{value} | {filters}");
    }
}

#[test]
fn numbers_by_locale() {
    // As `Intl.NumberFormat` has them (CLDR 48).
    for (filters, value, expected) in [
        ("number('en')", "1234567.5", "1,234,567.5"),
        ("number('en')", "-0.0004", "0"),
        ("number('en')", "0.9996", "1"),
        ("number('en')", "999.9995", "1,000"),
        ("number('en')", "+007", "7"),
        ("number('en')", ".5", "0.5"),
        ("number('en-IN')", "12345678.125", "1,23,45,678.125"),
        ("number('de')", "-1234.5", "-1.234,5"),
        ("number('de-AT')", "1234", "1\u{a0}234"),
        ("number('de-LI')", "1234", "1.234"),
        ("number(lang)", "1234", "1\u{a0}234"),
        ("number(country)", "1234", "1,234"),
        ("number('es')", "1234", "1234"),
        ("number('es')", "12345", "12.345"),
        ("number('fr')", "1234.5", "1\u{202f}234,5"),
        ("number('sv')", "-1", "\u{2212}1"),
        ("currency('EUR', 'de')", "1234.5", "1.234,50\u{a0}€"),
        ("currency('EUR', 'en')", "-1234.567", "-€1,234.57"),
        ("currency('CHF', 'en')", "5", "CHF\u{a0}5.00"),
        ("currency('JPY', 'ja')", "1234.5", "￥1,235"),
        ("currency('USD', 'en-CA')", "1", "US$1.00"),
        ("currency('KWD', 'en')", "1.5", "KWD\u{a0}1.500"),
        ("currency('EUR', 'nl')", "-1.5", "€\u{a0}-1,50"),
        ("currency('XXX', 'de')", "1", "1,00\u{a0}XXX"),
    ] {
        assert_eq!(made(filters, json!(value)).as_deref(), Some(expected), "{value} | {filters}");
    }
    for nothing in ["", "x", "1e3", "1,5", "--1", ".", "1.2.3", "٣", "1111111111111111111111111111111"] {
        assert_eq!(made("number('en')", json!(nothing)), None, "{nothing}");
        assert_eq!(made("number('en') | default('-')", json!(nothing)).as_deref(), Some("-"), "{nothing}");
    }
    assert_eq!(made("number('de')", json!(1234.5)).as_deref(), Some("1.234,5"), "a number is one, too");
}

#[test]
fn dates_by_locale() {
    // As `Intl.DateTimeFormat` has them (CLDR 48).
    for (filters, value, expected) in [
        ("date('short', 'en')", "2024-03-05", "3/5/24"),
        ("date('medium', 'en')", "2024-03-05T23:59:59-08:00", "Mar 5, 2024"),
        ("date('long', 'de')", "2024-03-05", "5. März 2024"),
        ("date('full', 'de-AT')", "2024-01-01", "Montag, 1. Jänner 2024"),
        ("date('full', 'en')", "2000-02-29", "Tuesday, February 29, 2000"),
        ("date('full', 'fr')", "1969-12-31", "mercredi 31 décembre 1969"),
        ("date('long', 'pt')", "2024-03-05", "5 de março de 2024"),
        ("date('full', 'ja')", "2024-03-05", "2024年3月5日火曜日"),
        ("date('long', 'vi')", "2024-03-05", "5 tháng 3, 2024"),
        ("date('medium', 'en')", "1709683199", "Mar 5, 2024"),
        ("date('yyyy-MM-dd', 'en')", "1709683200", "2024-03-06"),
        ("date('d MMMM', lang)", "2024-02-01", "1 Februar"),
        ("date(\"d 'de' MMM ''yy\", 'es')", "2024-02-01", "1 de feb '24"),
        ("date('MMMM', 'zh')", "2024-02-01", "2"),
    ] {
        assert_eq!(made(filters, json!(value)).as_deref(), Some(expected), "{value} | {filters}");
    }
    for nothing in [
        "",
        "tomorrow",
        "2023-02-29",
        "2024-13-01",
        "2024-00-01",
        "2024-01-32",
        "24-01-01",
        "2024-1-1",
        "2024-01-01x",
        "9999999999999",
        "２０２４-01-01",
    ] {
        assert_eq!(made("date('short', 'en')", json!(nothing)), None, "{nothing}");
    }
}

#[test]
fn every_locale_is_complete() {
    let locales = super::locale::Locale::all();
    assert!(locales.len() > 40);
    assert!(locales.is_sorted_by(|a, b| a.tag < b.tag));
    for locale in locales {
        for style in ["short", "medium", "long", "full"] {
            let filter = format!("date('{style}', '{}')", locale.tag);
            let days: std::collections::BTreeSet<_> =
                (1..=12).map(|month| made(&filter, json!(format!("2024-{month:02}-17"))).unwrap()).collect();
            assert_eq!(days.len(), 12, "{filter}: {days:?}");
        }
        let amount = made(&format!("currency('EUR', '{}')", locale.tag), json!("-1234.5")).unwrap();
        assert!(amount.contains("234") && amount.contains("50") && !amount.contains('¤'), "{amount}");
    }
}

#[test]
fn what_filters_make_is_bounded() {
    let long = "\"".repeat(64 * 1024);
    assert!(made("json", json!(long)).is_some_and(|text| text.len() <= MAX_BYTES));
    assert_eq!(made("json|json|json|json|json|json|json", json!(long)), None);
    assert_eq!(made("json|json|json|json|json|json|json|default('-')", json!(long)).as_deref(), Some("-"));
}
